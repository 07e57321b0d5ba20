"""Campaigns for people: what was mailed about which article, and how far it is. Read-only."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.notifications.domain.campaigns import Campaign
from services.notifications.store.campaigns import Campaigns
from shared.contracts.identity import Role
from shared.web.identity import require_role
from shared.web.problems import not_found
from shared.web.requests import json_response, paging, query_values

ROOT = "/api/v1/campaigns"


class CampaignRoutes:
    """Below `/api/v1/campaigns`."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get(ROOT, self.list), web.get(f"{ROOT}/{{id}}", self.read)]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        found = await self._campaigns.page(after=cursor, limit=limit + 1)
        following = found[limit - 1].id if len(found) > limit else None
        return json_response({"items": [_shown(one) for one in found[:limit]], "next": following})

    async def read(self, request: web.Request) -> web.Response:
        """One campaign with its deliveries counted by state, now."""
        await require_role(request, Role.EDITOR)
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
