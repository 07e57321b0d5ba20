"""Addresses that articles had before they came here, in the one form they are kept and looked up by. Pure."""

from __future__ import annotations

from urllib.parse import unquote

MAX_ADDRESS = 2000


def former_key(path: str) -> str:
    """A decoded path with or without its query, without the slash at its end.

    It begins with a slash, so it is never a slug.
    """
    bare, mark, query = path.partition("?")
    bare = bare.rstrip("/") or "/"
    return f"{bare}?{query}" if mark and query else bare


def lookup_keys(raw_path: str, query: str) -> tuple[str, ...]:
    """What to look for, in order: the whole address, then without a query, which trackers append."""
    if len(raw_path) + len(query) > MAX_ADDRESS:
        return ()
    bare = unquote(raw_path).replace("?", "").rstrip("/") or "/"
    whole = f"{bare}?{query}" if query else bare
    # The bare front page is the front page, whatever is appended to it.
    return tuple(key for key in dict.fromkeys((whole, bare)) if key != "/")
