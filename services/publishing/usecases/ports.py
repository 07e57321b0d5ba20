"""What the use cases need from outside, as protocols; `app` hands in the real ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.authors import Author
from services.publishing.domain.stored_pictures import StoredRendition
from shared.contracts.articles import ArticleEvent, Status
from shared.contracts.events import Outgoing
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId
from shared.runtime.publication import Publication


@dataclass(frozen=True)
class ActRecord:
    """Who did what and when: one line of the audit log."""

    act: str
    by: str
    by_name: str
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    about: str | None = None
    """The person whom it concerns, where it concerns one."""


@dataclass(frozen=True)
class Kept:
    """An article as read. `unrecorded` is the last act while its revision and audit lines are owed."""

    copy: WorkingCopy
    unrecorded: ActRecord | None = None


@dataclass(frozen=True)
class Line:
    """One recorded revision without its texts: the act, and what it left of all but the content."""

    revision: int
    record: ActRecord
    state: dict[str, Any]


@dataclass(frozen=True)
class Announcement:
    """The event of a public act, what it carries, and who must report having applied it."""

    outgoing: Outgoing
    data: ArticleEvent
    awaiting: tuple[str, ...]
    repair_at: datetime


@dataclass(frozen=True)
class Step:
    """One act on one article: what it was, what it becomes, and what is told of it."""

    before: Kept
    after: WorkingCopy
    record: ActRecord
    announcement: Announcement | None = None
    alert: Outgoing | None = None
    """Something an operator must hear, sent with the act."""


@dataclass(frozen=True)
class Write:
    """A step in the form it is stored by, made before the instant at which it is needed."""

    step: Step
    query: dict[str, Any]
    update: dict[str, Any]


@dataclass(frozen=True)
class Due:
    """A schedule: of which article, at which revision, for when."""

    id: str
    revision: int
    at: datetime


@dataclass(frozen=True)
class StoredPicture:
    """A picture and its sizes, largest first."""

    id: str
    width: int
    height: int
    renditions: tuple[StoredRendition, ...]


class Articles(Protocol):
    """Working copies; each write is one conditional update."""

    async def get(self, article_id: str) -> Kept | None: ...

    async def of_origin(self, source: str, external_id: str) -> Kept | None: ...

    async def in_order(self, after: str | None, limit: int) -> list[Kept]: ...

    async def insert(
        self, copy: WorkingCopy, record: ActRecord, announcement: Announcement | None = None
    ) -> None:
        """Raises `Conflict` when the slug or the translation's place is another article's."""

    async def statuses(self, ids: Collection[str]) -> dict[str, Status]:
        """Where each of these stands; those that do not exist are left out."""

    async def save(self, step: Step) -> bool:
        """False when somebody else changed it first. Raises `Conflict` as `insert`."""

    def write_of(self, step: Step) -> Write: ...

    async def save_all(self, writes: Sequence[Write]) -> set[str]: ...

    async def due(self, before: datetime, limit: int) -> list[Due]: ...

    async def still_due(self, article_ids: Sequence[str]) -> set[str]: ...

    async def many(self, article_ids: Sequence[str]) -> list[Kept]: ...

    async def delete(self, copy: WorkingCopy) -> bool: ...

    async def recorded(self, article_id: str, revision: int) -> None: ...


class Trash(Protocol):
    """Deleted drafts, for a while."""

    async def put(self, copy: WorkingCopy, record: ActRecord) -> None:
        """Never in the place of a newer revision."""

    async def get(self, article_id: str) -> Kept | None: ...

    async def remove(self, article_id: str) -> bool: ...

    async def withdraw(self, deleted: Kept) -> None:
        """Forget this deletion, and no other of the same article: it never came to it."""

    async def recorded(self, article_id: str) -> None: ...

    async def unrecorded(self, before: datetime, limit: int) -> list[Kept]: ...


class Slugs(Protocol):
    """Who holds which slug."""

    async def reserve(self, slug: str, article_id: str, now: datetime) -> bool: ...

    async def available(self, slug: str, article_id: str, now: datetime) -> bool:
        """What `reserve` would answer; takes nothing."""

    async def keep(self, slug: str, article_id: str, now: datetime) -> None:
        """It has been public: never free it."""

    async def free(self, slug: str, article_id: str) -> None: ...


class Authors(Protocol):
    """Profiles; each write is one conditional update."""

    async def get(self, slug: str) -> Author | None: ...

    async def named(self, slugs: Collection[str]) -> dict[str, Author]:
        """Those of these that exist, by slug."""

    async def insert(self, author: Author) -> None:
        """Raises `Conflict` when the slug is taken."""

    async def save(self, before: Author, after: Author) -> bool:
        """False when somebody else changed it first."""

    async def delete(self, author: Author) -> bool: ...

    async def named_by(self, slug: str) -> str | None:
        """The id of an article whose working copy names this author."""


class Records(Protocol):
    """Revisions and the audit log; writing the same one twice changes nothing."""

    async def revision(self, copy: WorkingCopy, record: ActRecord) -> None: ...

    async def audit(self, id: str, record: ActRecord, article_id: str | None = None) -> None: ...

    async def newest_until(self, article_id: str, revision: int) -> WorkingCopy | None:
        """The newest recorded revision that is not above this one."""

    async def lines(self, article_id: str, above: int, limit: int) -> list[Line]:
        """Recorded revisions above this one, newest first."""

    def line_of(self, copy: WorkingCopy, record: ActRecord) -> Line:
        """The line that an act not yet recorded will have."""


class Pictures(Protocol):
    """Stored pictures."""

    async def find(self, media_id: str) -> StoredPicture | None: ...

    async def find_all(self, media_ids: Collection[str]) -> dict[str, StoredPicture]:
        """Those of these that exist, by id."""

    async def put(
        self, picture: StoredPicture, contents: Sequence[bytes], by: str, now: datetime
    ) -> None: ...


@dataclass(frozen=True)
class Newsroom:
    """Everything the acts on articles stand on."""

    articles: Articles
    trash: Trash
    slugs: Slugs
    records: Records
    pictures: Pictures
    authors: Authors
    publication: Publication
    public_url: str
    expected_services: tuple[str, ...]
    clock: Clock
    make_id: NewId
    wake: Callable[[str], None]
    """Tells the relay that this article has just got an event."""
    schedule_lateness: timedelta
    """How late a schedule may still come true where the editor did not say."""
    second_person_retracts: bool
    """Whether one chief asks for a retraction and another confirms it."""

    @property
    def zone(self) -> ZoneInfo:
        """The publication's own clock, for showing; instants are kept in UTC."""
        return ZoneInfo(self.publication.time_zone)
