"""What each act on an article does, in the words of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from services.publishing.api.article_answers import ArticleAnswer
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Refusal, Tag

ARTICLES = Tag(
    "Articles",
    "What the newsroom writes, and the acts that bring it to readers. Every change names the revision "
    "it was made from (`If-Match`), so that nobody overwrites what they have not seen.",
)
ONE = Answer("The article afterwards.", ArticleAnswer, headers=("ETag",))
WRONG_STATUS = Refusal(
    409,
    "Not possible now",
    "status",
    "cannot retract an article that is draft",
    more={"current": "draft"},
)
NOT_YOURS = Refusal(
    403,
    "Your role does not allow this",
    "Authorization",
    "a contributor may edit only what is their own and not yet public",
)
SLUG_TAKEN = Refusal(
    409, "Not possible as things stand", "slug", "this slug belongs to another article"
)
UNFINISHED = Refusal(422, "The input is not valid", "section", "is needed to publish")
EMBARGOED = Refusal(
    409,
    "Not possible as things stand",
    "embargo_until",
    "under embargo until 2026-11-24T06:00:00+00:00",
)
NO_REQUEST = Refusal(
    409,
    "Not possible as things stand",
    "retraction_request",
    "nobody has asked for a retraction",
)


@dataclass(frozen=True)
class ActText:
    """One act: its operation's id, what it does, an example of its body and what else it refuses."""

    id: str
    summary: str
    text: str
    example: Mapping[str, Any] | None = None
    refusals: Sequence[Refusal] = ()
    waits: str = ""
    """What is answered 202 where the act is accepted but not done."""


TEXTS: Mapping[str, ActText] = {
    "submit": ActText(
        "submit_article",
        "Hand it to the reviewers",
        "A contributor may submit what is their own and not yet public.",
        refusals=(NOT_YOURS,),
    ),
    "return": ActText(
        "return_article",
        "Give it back to the author",
        "With a note on what to change. A contributor may take back what is their own.",
        {"note": "Who says so? We need a second source for the third paragraph."},
        (NOT_YOURS,),
    ),
    "schedule": ActText(
        "schedule_article",
        "Publish at a set time",
        "What is missing then keeps it from being published, so it is asked for now. Scheduling again "
        "moves the time.",
        {"at": "2026-11-24T06:00:00Z", "lateness_minutes": 60},
        (
            UNFINISHED,
            Refusal(
                409,
                "Not possible as things stand",
                "at",
                "the embargo ends only at 2026-11-24T06:00:00+00:00",
            ),
        ),
    ),
    "unschedule": ActText(
        "unschedule_article", "Take it off the schedule", "It goes back to where it came from."
    ),
    "publish": ActText(
        "publish_article",
        "Publish",
        "Makes the working copy public, or brings what is public up to it without a notice. Every outlet "
        "follows. Under an embargo it is scheduled for the instant at which the embargo ends.",
        refusals=(UNFINISHED, EMBARGOED),
    ),
    "correct": ActText(
        "correct_article",
        "Publish with a correction notice",
        "Brings what is public up to the working copy, with a notice for readers that stays.",
        {"kind": "correction", "text": "An earlier version misstated when the bridge had closed."},
        (UNFINISHED, EMBARGOED),
    ),
    "unpublish": ActText(
        "unpublish_article",
        "Withdraw quietly",
        "Takes the article down everywhere; it may be published again.",
    ),
    "retract": ActText(
        "retract_article",
        "Retract for good",
        "Takes the article back. Its address answers 410 with the reason, for ever. Where the setting "
        "asks for two people, this only asks, and a second person confirms or declines.",
        {"reason": "The report relied on a document that proved to be forged."},
        (
            Refusal(
                409, "Not possible as things stand", "retraction_request", "it is asked for already"
            ),
        ),
        waits="A second person must confirm it.",
    ),
    "retract/confirm": ActText(
        "confirm_retraction",
        "Confirm another's wish to retract",
        "Never one's own.",
        refusals=(
            NO_REQUEST,
            Refusal(
                403,
                "Your role does not allow this",
                "Authorization",
                "a second person must confirm a retraction; you asked for it",
            ),
        ),
    ),
    "retract/decline": ActText(
        "decline_retraction",
        "Let it stand, or take one's own wish back",
        "The article stays as it is.",
        refusals=(NO_REQUEST,),
    ),
}
"""By the act's name in the path."""


def operation(name: str, role: Role, model: type[BaseModel], *, body_optional: bool) -> Operation:
    """The description of `POST /api/v1/articles/{id}/<name>`."""
    told = TEXTS[name]
    answers = {200: ONE}
    if told.waits:
        answers[202] = Answer(told.waits, ArticleAnswer, headers=("ETag",))
    return Operation(
        told.id,
        told.summary,
        ARTICLES,
        answers,
        role=role,
        text=told.text,
        body=model,
        body_optional=body_optional,
        example=told.example or {},
        if_match=True,
        refusals=(WRONG_STATUS, *told.refusals),
    )
