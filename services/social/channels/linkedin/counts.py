"""Reads what people did with the page's posts: which are still there, and their statistics. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of
from services.social.channels.linkedin.client import LinkedInClient, encoded
from shared.contracts.outlets import Counts
from shared.delivery.errors import TryAgain

BATCH = 20
"""Far below the four kilobytes that a query may have."""
NAMES = {
    "likes": "likeCount",
    "replies": "commentCount",
    "shares": "shareCount",
    "views": "impressionCount",
    "reach": "uniqueImpressionsCount",
    "clicks": "clickCount",
}
KINDS = {"share": "shares", "ugcPost": "ugcPosts"}


async def read(
    client: LinkedInClient, author: str, posts: Sequence[Posted]
) -> dict[str, Counts | None]:
    """Statistics leave out what nobody has seen yet, so only the posts themselves tell what is gone."""
    urns = [post.remote_id for post in posts]
    gone = await _gone(client, urns)
    there = [urn for urn in urns if urn not in gone]
    found: dict[str, Counts | None] = dict.fromkeys(gone)
    for kind, name in KINDS.items():
        ours = [urn for urn in there if urn.startswith(f"urn:li:{kind}:")]
        if ours:
            found |= await _statistics(client, author, kind, name, ours)
    return found


async def _gone(client: LinkedInClient, urns: Sequence[str]) -> set[str]:
    answer = await client.ask("GET", "posts", act="BATCH_GET", query=f"ids={_list(urns)}")
    results = answer.body.get("results") if isinstance(answer.body, dict) else None
    if not isinstance(results, dict):
        raise TryAgain("a success without the posts that belong to it")
    told = answer.body.get("errors")
    errors = told if isinstance(told, dict) else {}
    return {urn for urn in urns if urn not in results and _status(errors.get(urn)) == 404}


def _status(error: Any) -> Any:
    return error.get("status") if isinstance(error, dict) else None


async def _statistics(
    client: LinkedInClient, author: str, kind: str, name: str, urns: Sequence[str]
) -> dict[str, Counts | None]:
    query = "&".join(
        (
            "q=organizationalEntity",
            f"organizationalEntity={encoded(author)}",
            f"{name}={_list(urns)}",
        )
    )
    answer = await client.ask(
        "GET", "organizationalEntityShareStatistics", act="FINDER", query=query
    )
    elements = answer.body.get("elements") if isinstance(answer.body, dict) else None
    if not isinstance(elements, list):
        raise TryAgain("a success without the statistics that belong to it")
    return {
        one[kind]: counts_of(one.get("totalShareStatistics"), NAMES)
        for one in elements
        if _is_one_of(one, kind, urns)
    }


def _is_one_of(element: Any, kind: str, urns: Sequence[str]) -> bool:
    return isinstance(element, dict) and element.get(kind) in urns


def _list(urns: Sequence[str]) -> str:
    """A list as Rest.li 2.0 writes it: its own signs bare, those of the values encoded."""
    return f"List({','.join(encoded(urn) for urn in urns)})"
