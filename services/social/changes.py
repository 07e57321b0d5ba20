"""How a change reaches what is posted already: as the account's policy chose, frozen with its payload.

Never calls a network, and never decides anew about what is armed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from services.social.channels import discover
from services.social.channels.base import MANNER, Capabilities, Intent, Payload, Posted
from services.social.channels.pictures import LEFT_OUT
from services.social.domain.policy import Choice, Manner, choose, on_the_board, to_do
from services.social.oauth.alerts import Alerts
from services.social.store import Accounts
from shared.contracts.articles import Article, LeadImage
from shared.contracts.outlets import Operation
from shared.delivery.errors import OutcomeUnknown
from shared.delivery.ledger import Ledger
from shared.delivery.model import NOTE, Delivery, Document, Plan
from shared.delivery.outside import Composed, Leave, Task

Watch = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Follow the public's reaction to these posts of one article."""

BEFORE_A_REPOST = "removed, to be posted again"
REPOSTED = "posted again"


class Changes:
    """Decides about edits and deletions. `watch` hears of each post that a repost leads to."""

    def __init__(self, accounts: Accounts, alerts: Alerts, ledger: Ledger, watch: Watch) -> None:
        self._accounts = accounts
        self._alerts = alerts
        self._ledger = ledger
        self._watch = watch

    async def decide(
        self, delivery: Delivery, article: Article, previous: Document | None
    ) -> Choice | Composed | Leave | Task:
        """A choice where the channel has to find the words, else all that there is to know."""
        if delivery.step:
            body = {"body": {}, "corrections": len(article.corrections), NOTE: BEFORE_A_REPOST}
            return Composed({**body, MANNER: Manner.DELETE.value}, delivery.revision)
        policy = await self._accounts.policy(delivery.outlet.removeprefix("social/"))
        about = (delivery.operation, delivery.publication, article, previous)
        choice = choose(*about, policy, able(delivery))
        settled = {**(previous or {}), "corrections": len(article.corrections)}
        settled.pop(NOTE, None)
        if choice.manner is Manner.PERSON:
            words = to_do(choice, article, settled.get("url"))
            return Task(words, settled, partial(self._announce, delivery, words))
        if choice.manner is Manner.NOTHING:
            return Leave(on_the_board(choice.manner, choice.kind) or "", settled)
        if choice.manner in {Manner.DELETE, Manner.REPOST}:
            return frozen(delivery, article, {}, choice)
        return choice

    async def repost(self, delivery: Delivery, posted: Posted) -> Document:
        """Enter the deletion and the post that follow; their ids derive from this change, so once."""
        for step, operation in enumerate((Operation.DELETE, Operation.POST), start=1):
            plan = Plan(
                article_id=delivery.article_id,
                outlet=delivery.outlet,
                operation=operation,
                intent=delivery.intent,
                publication=delivery.publication,
                revision=delivery.revision,
                step=step,
                acted_at=delivery.acted_at,
                priority=delivery.priority,
                traceparent=delivery.traceparent,
            )
            await self._ledger.plan(plan)
            if operation is Operation.POST and (post := await self._ledger.get(plan.id)):
                await self._watch([post])
        return remembered(posted, delivery.payload or {})

    async def _announce(self, delivery: Delivery, words: str) -> None:
        account_id = delivery.outlet.removeprefix("social/")
        event = self._alerts.event(
            account_id,
            "critical" if delivery.operation is Operation.DELETE else "warning",
            f"task:{delivery.id}",
            f"{account_id} needs a person",
            words,
            article_id=delivery.article_id,
        )
        await self._alerts.announce(account_id, event)


def able(delivery: Delivery) -> Capabilities:
    """What the delivery's network can."""
    return discover()[delivery.outlet.split("/")[1]].capabilities


def repost_key(change: str) -> str:
    """The id of the post that the change with this id leads to where it is a repost."""
    return change.replace(f":{Operation.EDIT.value}:", f":{Operation.POST.value}:", 1)


def intent(
    key: str,
    operation: Operation,
    article: Article,
    now: datetime,
    previous: Document | None,
    choice: Choice | None,
    cards: Mapping[str, LeadImage],
) -> Intent:
    """What a channel is asked to compose: a post, or what the `choice` says about `previous`."""
    if choice is None:
        return Intent(key=key, operation=operation, article=article, now=now, cards=cards)
    return Intent(
        key=key,
        operation=Operation.EDIT,
        article=article,
        now=now,
        posted=posted_of(previous),
        change=choice.kind.value if choice.kind else None,
        manner=choice.manner,
        told=choice.told,
    )


def frozen(delivery: Delivery, article: Article, body: Payload, choice: Choice | None) -> Composed:
    """The payload of the ledger: what the channel composed, and in which way it is to reach the post."""
    payload: Document = {"body": body, "corrections": len(article.corrections)}
    if choice is None:
        return Composed({**payload, NOTE: REPOSTED} if delivery.step else payload, article.revision)
    way = Manner(body.get(MANNER, choice.manner))
    payload[MANNER] = way.value
    if said := on_the_board(way, choice.kind):
        payload[NOTE] = said
    if way is Manner.REPOST:
        # It says nothing itself: the post that follows does, and counts as new from then on.
        return Composed({**payload, "corrections": choice.told}, 0)
    return Composed(payload, delivery.revision if way is Manner.DELETE else article.revision)


def way_of(delivery: Delivery) -> Manner | None:
    """How an armed change reaches the post; None for a post."""
    if delivery.operation is Operation.POST:
        return None
    if known := (delivery.payload or {}).get(MANNER):
        return Manner(known)
    # Armed by a version that knew one way only.
    if delivery.operation is Operation.DELETE:
        return Manner.DELETE
    return Manner.EDIT if able(delivery).edit else Manner.REPLY


def creates(delivery: Delivery) -> bool:
    """Whether the network gets one more post of it, so that doing it twice would be seen."""
    way = way_of(delivery)
    return way in {None, Manner.REPLY} or (way is Manner.EDIT and not able(delivery).edit)


def remembered(posted: Posted, payload: Document) -> Document:
    """The result to keep, with how many corrections readers have been told of."""
    kept = {**posted.model_dump(mode="json"), "corrections": payload.get("corrections", 0)}
    notes = [note for note in (payload.get(NOTE), payload["body"].get(LEFT_OUT)) if note]
    return {**kept, NOTE: "; ".join(notes)} if notes else kept


def new_post(delivery: Delivery, before: Posted | None, found: Posted) -> Posted:
    """`found`, unless it is the post before this one: deleted to make room for it, but still listed there.

    Raises `OutcomeUnknown`: look-ups go by the link, which both have.
    """
    if delivery.step and before is not None and found.remote_id == before.remote_id:
        raise OutcomeUnknown("the network still shows the post that was deleted")
    return found


def posted_of(result: Document | None) -> Posted | None:
    """What the network knows our post by."""
    return Posted.of(result) if result else None
