"""Campaigns for people: what was mailed about which article, and how far it is. Read-only."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from services.notifications.domain.campaigns import Campaign, Decision, Kind
from services.notifications.store.campaigns import Campaigns
from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState
from shared.web.description import (
    PAGING,
    Answer,
    Moment,
    Operation,
    Page,
    Parameter,
    Shown,
    Tag,
    described,
)
from shared.web.identity import require_role
from shared.web.problems import not_found
from shared.web.requests import json_response, paging, query_values

ROOT = "/api/v1/campaigns"
ARTICLE = "0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60"


class CampaignAnswer(Shown):
    """One mailing about one article."""

    id: str
    article_id: str
    kind: Kind
    number: int
    """The publication, or the correction's place."""
    decision: Decision
    headline: str
    revision: int
    state: DeliveryState
    """What its deliveries add up to."""
    recipients: int
    milliseconds: int | None
    """From the editor's act to the last mail that was taken."""
    reason: str | None
    created_at: Moment

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"{ARTICLE}:alert:1",
        "article_id": ARTICLE,
        "kind": "alert",
        "number": 1,
        "decision": "send",
        "headline": "Harbour bridge reopens after two years",
        "revision": 3,
        "state": "confirmed",
        "recipients": 1204,
        "milliseconds": 8120,
        "reason": None,
        "created_at": "2026-11-23T09:30:00Z",
    }


class CampaignInFull(CampaignAnswer):
    """A campaign with its deliveries counted."""

    counts: dict[DeliveryState, int]

    EXAMPLE: ClassVar[dict[str, Any]] = {**CampaignAnswer.EXAMPLE, "counts": {"confirmed": 1204}}


CAMPAIGNS = Tag("Campaigns", "What was mailed about which article, and how far it is.")
LIST = Operation(
    "list_campaigns",
    "List campaigns, newest article first",
    CAMPAIGNS,
    {200: Answer("Campaigns.", Page[CampaignAnswer])},
    role=Role.EDITOR,
    query=PAGING,
)
READ = Operation(
    "read_campaign",
    "Read a campaign",
    CAMPAIGNS,
    {200: Answer("It, with its deliveries counted by state, now.", CampaignInFull)},
    role=Role.EDITOR,
    path=(Parameter("id", "`<article>:<kind>:<number>`.", example=f"{ARTICLE}:alert:1"),),
)


class CampaignRoutes:
    """Below `/api/v1/campaigns`."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.get(ROOT, self.list), LIST),
            described(web.get(f"{ROOT}/{{id}}", self.read), READ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        found = await self._campaigns.page(after=cursor, limit=limit + 1)
        following = found[limit - 1].id if len(found) > limit else None
        return json_response({"items": [_shown(one) for one in found[:limit]], "next": following})

    async def read(self, request: web.Request) -> web.Response:
        """One campaign with its deliveries counted by state, now."""
        await require_role(request, Role.EDITOR)
        query_values(request, set())
        campaign = await self._campaigns.get(request.match_info["id"])
        if campaign is None:
            raise not_found("campaign")
        counts = await self._campaigns.counts(campaign.id)
        return json_response(
            {
                **_shown(campaign),
                "counts": {state.value: count for state, count in sorted(counts.items())},
            }
        )


def _shown(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "article_id": campaign.article_id,
        "kind": campaign.kind.value,
        "number": campaign.number,
        "decision": campaign.decision.value,
        "headline": campaign.headline,
        "revision": campaign.revision,
        "state": campaign.tally.state.value,
        "recipients": campaign.tally.recipients,
        "milliseconds": campaign.tally.milliseconds,
        "reason": campaign.tally.reason,
        "created_at": campaign.created_at,
    }
