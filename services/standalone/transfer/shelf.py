"""The files of an export, in a folder or a zip. Never unpacks anything and never looks outside."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast
from urllib.parse import unquote, urlsplit

MAX_DOCUMENT = 2 * 1024**3
"""Bytes of one document inside a zip; more is a bomb or no export."""
_VARIANT = re.compile(r"-\d+x\d+(?=\.\w+$)|-scaled(?=\.\w+$)")
_GHOST_SIZE = re.compile(r"size/w\d+(?:h\d+)?/(?:format/\w+/)?")


class Unfit(Exception):
    """Raised for a source that cannot be opened; the text says why."""


class Shelf(Protocol):
    """Where the files are."""

    def names(self) -> list[str]:
        """Every file, as a path with slashes below the shelf."""

    def open(self, name: str) -> BinaryIO: ...

    def size(self, name: str) -> int: ...


class Folder:
    """A folder; what a link leads out of it is not in it."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def names(self) -> list[str]:
        return sorted(
            one.relative_to(self._path).as_posix()
            for one in self._path.rglob("*")
            if one.is_file() and one.resolve().is_relative_to(self._path)
        )

    def open(self, name: str) -> BinaryIO:
        return (self._path / name).open("rb")

    def size(self, name: str) -> int:
        return (self._path / name).stat().st_size


class Zip:
    """A zip file, read in place."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise Unfit(f"{path}: not a readable zip: {error}") from error

    def names(self) -> list[str]:
        return sorted(one.filename for one in self._zip.infolist() if not one.is_dir())

    def open(self, name: str) -> BinaryIO:
        if self.size(name) > MAX_DOCUMENT:
            raise Unfit(f"{name}: unpacks to more than {MAX_DOCUMENT // 1024**3} GB")
        return cast(BinaryIO, self._zip.open(name))

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size


def shelf_of(path: Path) -> Shelf:
    """The folder or zip, or the folder around a single document. Raises `Unfit`."""
    if path.is_dir():
        return Folder(path)
    if not path.is_file():
        raise Unfit(f"{path}: there is no such file or folder")
    return Zip(path) if zipfile.is_zipfile(path) else Folder(path.parent)


class Finder:
    """Finds the file of a picture by the address it had."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            self._by_name[PurePosixPath(name).name].append(name)

    def find(self, address: str, near: str = "") -> str | None:
        """The file that ends as the address does; a resized variant gives way to its original.

        `near` is the folder of the document, for addresses that are relative to it.
        """
        try:
            path = unquote(urlsplit(address).path)
        except ValueError:
            return None
        path = _GHOST_SIZE.sub("", path.replace("__GHOST_URL__", ""))
        for one in dict.fromkeys((path, _VARIANT.sub("", path))):
            if found := self._one(one, near, absolute="://" in address):
                return found
        return None

    def _one(self, path: str, near: str, *, absolute: bool) -> str | None:
        parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
        if not parts:
            return None
        candidates = self._by_name.get(parts[-1], [])
        if not absolute and not path.startswith("/"):
            beside = "/".join([*PurePosixPath(near).parts, *parts])
            if beside in candidates:
                return beside
        # The longest common end wins; a bare file name in common is no proof that it is the same.
        least = min(2, len(parts)) if absolute else 1
        for length in range(len(parts), least - 1, -1):
            end = "/".join(parts[-length:])
            found = [one for one in candidates if one == end or one.endswith(f"/{end}")]
            if len(found) == 1:
                return found[0]
            if found:
                return min(found, key=len)
        return None
