"""Which scope each route needs of a limited token: one table for every service. What is not in it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.contracts.identity import Scope


class Reach(Enum):
    """What a route may ask for instead of a scope."""

    ANY = "any token"
    FULL = "a token without limits"
    """Passwords, second factors and sessions: no program's token should be able to keep its maker out."""


Needs = Scope | Reach


def _acts(*names: str) -> tuple[str, ...]:
    return tuple(f"POST /api/v1/articles/{{id}}/{name}" for name in names)


TABLE: dict[Needs, tuple[str, ...]] = {
    Scope.ARTICLES_READ: (
        "GET /api/v1/articles*",
        "GET /api/v1/authors*",
        "GET /api/v1/calendar",
        "GET /api/v1/sections",
        "GET /api/v1/trash",
        "POST /api/v1/previews*",
        *_acts("preview"),
    ),
    Scope.ARTICLES_WRITE: (
        "POST /api/v1/articles",
        "PATCH /api/v1/articles/{id}",
        "DELETE /api/v1/articles/{id}",
        *_acts("submit", "return", "revisions/{revision}/restore"),
        *(f"{method} /api/v1/articles/{{id}}/lock" for method in ("PUT", "DELETE")),
        *(f"{method} /api/v1/articles/{{id}}/autosave" for method in ("PUT", "DELETE")),
        "* /api/v1/authors*",
        "* /api/v1/trash*",
    ),
    Scope.ARTICLES_PUBLISH: (
        *_acts("publish", "schedule", "unschedule", "correct", "unpublish"),
        *_acts("retract", "retract/confirm", "retract/decline"),
    ),
    Scope.MEDIA_WRITE: ("POST /api/v1/media",),
    Scope.CHANNELS: ("* /api/v1/channels*",),
    Scope.DELIVERIES: ("* /api/v1/deliveries*", "* /api/v1/notifications/deliveries*"),
    Scope.AUDIENCE: ("* /api/v1/subscribers*", "* /api/v1/campaigns*"),
    Scope.IMPORTS: ("* /api/v1/imports*", "* /api/v1/exports*", "* /api/v1/inbound-sources*"),
    Scope.WEBHOOKS: ("* /api/v1/webhooks*",),
    Scope.PEOPLE: ("* /api/v1/users*",),
    Scope.TOKENS: ("* /api/v1/tokens*",),
    Scope.AUDIT_READ: ("GET /api/v1/audit",),
    Reach.ANY: ("GET /api/v1/me", "DELETE /api/v1/sessions"),
    Reach.FULL: ("* /api/v1/me*", "* /api/v1/sessions*"),
}
"""`<method> <route>`, the route as it is registered; `*` as method is any, at the end of a route it
stands for the route itself and all below it. Of several that match, the longest decides.

Acts on articles are listed one by one: a new one reaches readers or it does not, and only its author knows.
"""


@dataclass(frozen=True)
class _Rule:
    method: str
    route: str
    below: bool
    needs: Needs

    def covers(self, method: str, route: str) -> bool:
        if self.method not in {"*", method}:
            return False
        return route == self.route or (self.below and route.startswith(f"{self.route}/"))


def _rule(pattern: str, needs: Needs) -> _Rule:
    method, route = pattern.split(" ", 1)
    return _Rule(method, route.removesuffix("*"), route.endswith("*"), needs)


_RULES = sorted(
    (_rule(pattern, needs) for needs, patterns in TABLE.items() for pattern in patterns),
    key=lambda rule: (len(rule.route), not rule.below, rule.method != "*"),
    reverse=True,
)


def needed(method: str, route: str) -> Needs | None:
    """What a limited token needs here; None for a route the table does not know."""
    method = "GET" if method == "HEAD" else method
    return next((rule.needs for rule in _RULES if rule.covers(method, route)), None)


def reaches(scopes: frozenset[str], method: str, route: str) -> bool:
    """Whether a token limited to `scopes` may be used here."""
    needs = needed(method, route)
    return needs is Reach.ANY or (isinstance(needs, Scope) and needs in scopes)
