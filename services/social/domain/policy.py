"""How each kind of change reaches what an account has posted: what its network can, and what is chosen. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Operation
from shared.delivery.model import SEEN_BY_A_PERSON


class Kind(StrEnum):
    """What happened to the article, as far as its posts are concerned."""

    MINOR = "minor"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class Manner(StrEnum):
    """What is done about it."""

    EDIT = "edit"
    """Change the post."""
    REPLY = "reply"
    """Say it below the post, which stays as it is."""
    REPOST = "repost"
    """Delete the post, then post again."""
    DELETE = "delete"
    PERSON = "person"
    """Leave it to a person, who is told what to do."""
    NOTHING = "nothing"


class Able(Protocol):
    """What a policy needs to know of a network; see `channels.base.Capabilities`."""

    @property
    def edit(self) -> bool: ...
    @property
    def versions(self) -> bool: ...
    @property
    def reply(self) -> bool: ...
    @property
    def delete(self) -> bool: ...
    @property
    def repost(self) -> bool: ...


class Policy(BaseModel):
    """What an account does about each kind of change; None is the network's default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minor: Manner | None = None
    correction: Manner | None = None
    retraction: Manner | None = None

    def chosen(self) -> dict[Kind, Manner]:
        """What is not left to the network's default."""
        found = {kind: getattr(self, kind.value) for kind in Kind}
        return {kind: manner for kind, manner in found.items() if manner is not None}


def choices(able: Able, kind: Kind) -> tuple[Manner, ...]:
    """What can be chosen on a network. A minor change has no words for readers, so nothing says it."""
    changes = kind is not Kind.RETRACTION
    said = kind is not Kind.MINOR
    offered = {
        Manner.EDIT: changes and (able.edit or able.versions),
        Manner.DELETE: not changes and able.delete,
        Manner.REPLY: said and able.reply,
        Manner.REPOST: changes and able.delete and able.repost,
        Manner.PERSON: True,
        Manner.NOTHING: changes,
    }
    return tuple(manner for manner, can in offered.items() if can)


def default(able: Able, kind: Kind) -> Manner:
    """What a newsroom expects: the post itself is put right, else it is said below it, else a person is asked."""
    offered = choices(able, kind)
    wanted = {
        Kind.MINOR: (Manner.EDIT, Manner.NOTHING),
        Kind.CORRECTION: (Manner.EDIT, Manner.REPLY, Manner.PERSON),
        Kind.RETRACTION: (Manner.DELETE, Manner.PERSON),
    }[kind]
    return next(manner for manner in wanted if manner in offered)


def manner(policy: Policy, able: Able, kind: Kind) -> Manner:
    """What is done about a change of this kind; a choice that the network cannot keep any more is none."""
    wanted = policy.chosen().get(kind)
    return wanted if wanted in choices(able, kind) else default(able, kind)


@dataclass(frozen=True)
class Choice:
    """What is done about the post, and about what."""

    manner: Manner
    kind: Kind | None
    """None where the article was quietly unpublished: that has no words for readers."""
    told: int
    """How many of the article's corrections readers of the post know already."""


def choose(
    operation: Operation,
    publication: int,
    article: Article,
    previous: dict[str, Any] | None,
    policy: Policy,
    able: Able,
) -> Choice:
    """How an edit or a deletion is done now, seen from what the post already carries (`previous`).

    What was unpublished is removed as quietly, by a person where the network cannot. A post that only a
    person saw has no id that we know, so whatever is to be done about it is for a person too.
    """
    choice = _by_policy(operation, publication, article, previous, policy, able)
    unknown = (previous or {}).get("remote_id") == SEEN_BY_A_PERSON
    if unknown and choice.manner is not Manner.NOTHING:
        return replace(choice, manner=Manner.PERSON)
    return choice


def _by_policy(
    operation: Operation,
    publication: int,
    article: Article,
    previous: dict[str, Any] | None,
    policy: Policy,
    able: Able,
) -> Choice:
    told = (previous or {}).get("corrections", 0)
    if operation is not Operation.DELETE:
        kind = Kind.CORRECTION if len(article.corrections) > told else Kind.MINOR
        return Choice(manner(policy, able, kind), kind, told)
    wanted = manner(policy, able, Kind.RETRACTION)
    if article.status is Status.RETRACTED and article.publication == publication:
        return Choice(wanted, Kind.RETRACTION, told)
    if wanted is Manner.REPLY:
        wanted = Manner.DELETE if able.delete else Manner.PERSON
    return Choice(wanted, None, told)


def refusals(policy: Policy, able: Able, title: str) -> dict[Kind, str]:
    """Why each choice that the network cannot keep is refused; empty where all can be kept."""
    found = {}
    for kind, wanted in policy.chosen().items():
        offered = choices(able, kind)
        if wanted not in offered:
            known = ", ".join(offered)
            found[kind] = f"{title} has no {wanted.value} for this; it can be: {known}"
    return found


def on_the_board(way: Manner, kind: Kind | None) -> str | None:
    """How a change reaches the post, in words, where the operation does not say it."""
    words = {
        Manner.REPLY: f"replied with the {kind}",
        Manner.REPOST: "to be removed and posted again",
        Manner.NOTHING: "left as it is, by the account's policy",
    }
    return words.get(way)


def to_do(choice: Choice, article: Article, url: str | None) -> str:
    """What a person is asked to do with the post at `url`, in words."""
    post = f"the post ({url})" if url else "the post"
    if choice.kind is Kind.MINOR:
        act, about = f"bring {post} up to date with the article", ""
    elif choice.kind is Kind.CORRECTION:
        act = f"tell readers of {post} of the correction"
        untold = article.corrections[choice.told :]
        about = " / ".join(one.text.strip() for one in untold if one.text.strip())
    elif choice.kind is Kind.RETRACTION:
        act = f"take back {post}, the article is retracted"
        about = article.retraction.reason.strip() if article.retraction else ""
    else:
        act, about = f"remove {post}, the article is no longer public", ""
    return f"for a person: {act}: {about or article.headline}"
