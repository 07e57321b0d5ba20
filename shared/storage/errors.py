"""What storage raises, in the words of this house; no caller ever sees the driver's exceptions."""

from __future__ import annotations


class StorageError(Exception):
    """Base of what storage raises."""


class Duplicate(StorageError):
    """Raised when a unique index already holds the value. `field` names the index's first key."""

    def __init__(self, field: str) -> None:
        super().__init__(f"already taken: {field}")
        self.field = field


class StorageUnavailable(StorageError):
    """Raised when the database cannot be reached or has no primary; the same call may work later."""


class DocumentTooLarge(StorageError):
    """Raised when a document would exceed MongoDB's 16 MB."""
