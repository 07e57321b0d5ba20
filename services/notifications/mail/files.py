"""Mail written as `.eml` files where no relay is set: for development and demonstrations.

Writing the same message again replaces the same file, so a repetition can never make two.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

from services.notifications.mail.compose import Envelope
from shared.delivery.errors import TryAgain


class FileMailer:
    """One file for each message, named after its Message-ID; the envelope stands in two headers."""

    idempotent = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def send(self, envelope: Envelope) -> str:
        """The file's name. Raises `TryAgain` when the disk refuses."""
        name = f"{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]}.eml"
        content = (
            f"Return-Path: <{envelope.sender}>\r\n"
            f"Delivered-To: {envelope.recipient}\r\n{envelope.message}"
        )
        try:
            await asyncio.to_thread(self._write, name, content.encode("ascii"))
        except OSError as error:
            raise TryAgain(f"cannot write the mail: {error}") from error
        return name

    async def close(self) -> None:
        """Nothing stays open."""

    def _write(self, name: str, content: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = self._directory / f".{name}.{os.getpid()}.draft"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._directory / name)
