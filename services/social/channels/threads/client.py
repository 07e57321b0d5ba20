"""Speaks the Threads API for one account: values in a form or in the address. Never retries."""

from __future__ import annotations

from collections.abc import Callable

from services.social.channels.meta import GraphClient
from services.social.channels.transport import Answer


class ThreadsClient:
    """Authorised calls."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def ask(
        self,
        method: str,
        path: str,
        *,
        field: str,
        values: dict[str, str],
        mutation: bool = False,
        one_post: bool = False,
        bear: Callable[[Answer], bool] = lambda _: False,
    ) -> Answer:
        """One call with `values`; see `channels.meta`."""
        return await self._graph.ask(
            method,
            path,
            field=field,
            mutation=mutation,
            one_post=one_post,
            data=values if method == "POST" else None,
            params=None if method == "POST" else values,
            bear=bear,
        )
