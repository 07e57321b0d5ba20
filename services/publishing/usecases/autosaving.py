"""Keeping what somebody types. Never makes a revision, an event or an audit line; never loses a keystroke."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.publishing.domain.autosaves import Autosave, AutosaveText
from services.publishing.domain.errors import Conflict, NoSuch, NotAllowed
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.storage.errors import StorageUnavailable
from shared.web.identity import Identity


class Autosaves(Protocol):
    """The newest keystrokes of each page; a page is one session of one person on one article."""

    async def put(self, autosave: Autosave) -> Autosave:
        """Keep it unless a newer one is there; answers the one that is there afterwards."""

    async def drop(
        self, article_id: str, person: str, session: str, seq: int | None, now: datetime
    ) -> None:
        """Forget it up to this number, or whatever there is; what is newer stays."""

    async def of_person(self, article_id: str, person: str) -> list[Autosave]:
        """Newest first."""


@dataclass(frozen=True)
class Typed:
    """All that somebody has not saved of one article. `current_revision` is None once it is deleted."""

    autosaves: list[Autosave]
    current_revision: int | None


async def keep(
    room: Newsroom, autosaves: Autosaves, article_id: str, text: AutosaveText, person: Identity
) -> tuple[Autosave, int]:
    """The autosave and the article's revision. Raises `NoSuch`, `NotAllowed` or `Conflict` naming `seq`.

    The state of the article does not matter: what was typed while somebody else published or
    retracted it is worth as much.
    """
    copy = (await load(room, article_id)).copy
    if person.role < Role.EDITOR and copy.created_by != person.subject:
        raise NotAllowed("a contributor may write only in articles of their own")
    wanted = Autosave(
        article_id=article_id,
        person=person.subject,
        session=text.session,
        seq=text.seq,
        base_revision=text.base_revision,
        content=text.content,
        saved_at=room.clock.now(),
    )
    kept = await autosaves.put(wanted)
    # The same request again is no newer one, and no older one either.
    if (kept.seq, kept.content) != (wanted.seq, wanted.content):
        what = "was saved or dropped" if kept.content is None else "is kept"
        raise Conflict("seq", f"number {kept.seq} {what} already")
    return kept, copy.revision


async def typed(room: Newsroom, autosaves: Autosaves, article_id: str, person: Identity) -> Typed:
    """Raises `NoSuch`; a deleted article keeps what one has typed in it."""
    found = await autosaves.of_person(article_id, person.subject)
    article = await room.articles.get(article_id)
    if article is None and not found:
        raise NoSuch("article")
    return Typed(found, article.copy.revision if article else None)


async def drop(
    room: Newsroom, autosaves: Autosaves, article_id: str, session: str, person: Identity
) -> None:
    """Forget what was typed at one page. Again changes nothing."""
    await autosaves.drop(article_id, person.subject, session, None, room.clock.now())


async def saved(
    room: Newsroom, autosaves: Autosaves, article_id: str, page: tuple[str, int], person: Identity
) -> None:
    """What the page had typed up to this number is in the article now."""
    # The edit stands whatever happens here, and what is left behind shows that it is stale.
    with suppress(StorageUnavailable):
        session, seq = page
        await autosaves.drop(article_id, person.subject, session, seq, room.clock.now())
