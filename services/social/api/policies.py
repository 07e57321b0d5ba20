"""`/api/v1/channels/{channel}/{name}/policy`: what an account does about corrections and retractions."""

from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web

from services.social.api.channel_operations import ACCOUNT, CHANNELS, PolicyAnswer
from services.social.channels import discover
from services.social.domain.errors import NoSuchAccount
from services.social.domain.planning import Account
from services.social.domain.policy import Kind, Manner, Policy, choices, manner, refusals
from services.social.store import Accounts
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Shown, described
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, query_values, read_json


class ChosenPolicy(Shown):
    """What was chosen for each kind of change; null is the network's default."""

    minor: Manner | None
    correction: Manner | None
    retraction: Manner | None


class PolicyChoices(Shown):
    """What can be chosen for each kind of change on this network."""

    minor: list[Manner]
    correction: list[Manner]
    retraction: list[Manner]


class PolicyInFull(Shown):
    """An account's policy, what it comes to, and what else it could be."""

    chosen: ChosenPolicy
    """As it was put."""
    effective: PolicyAnswer
    """What is done: chosen, else the network's default."""
    choices: PolicyChoices

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "chosen": {"minor": None, "correction": "repost", "retraction": None},
        "effective": {"minor": "nothing", "correction": "repost", "retraction": "delete"},
        "choices": {
            "minor": ["repost", "person", "nothing"],
            "correction": ["reply", "repost", "person", "nothing"],
            "retraction": ["delete", "reply", "person"],
        },
    }


READ = Operation(
    "read_channel_policy",
    "See what an account does about changes",
    CHANNELS,
    {200: Answer("The policy and what else it could be.", PolicyInFull)},
    role=Role.CONTRIBUTOR,
    path=ACCOUNT,
)
REPLACE = Operation(
    "replace_channel_policy",
    "Choose what an account does about changes",
    CHANNELS,
    {200: Answer("The policy as it is now.", PolicyInFull)},
    role=Role.ADMIN,
    text="For what is sent from now on; what is armed already keeps its way, and what waits for a person "
    "stays with them until they retry it. A kind that is left out or null gets the network's default.",
    body=Policy,
    example={"correction": "repost", "retraction": "delete"},
    path=ACCOUNT,
)


class PolicyRoutes:
    """Handlers over the account store."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[web.AbstractRouteDef]:
        path = "/api/v1/channels/{channel}/{name}/policy"
        return [
            described(web.get(path, self.read), READ),
            described(web.put(path, self.replace), REPLACE),
        ]

    async def read(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        account = await self._account(request)
        return json_response(_in_full(account, account.policy))

    async def replace(self, request: web.Request) -> web.Response:
        """All three kinds at once; what the network cannot do is refused by name."""
        await require_role(request, Role.ADMIN)
        account = await self._account(request)
        wanted = await read_json(request, Policy)
        spec = discover()[account.channel]
        if found := refusals(wanted, spec.capabilities, spec.title):
            errors = [{"field": kind.value, "message": why} for kind, why in found.items()]
            raise Problem(
                422, "The network cannot do that", errors=errors, detail=errors[0]["message"]
            )
        try:
            await self._accounts.set_policy(account.id, wanted)
        except NoSuchAccount as error:  # somebody has removed it meanwhile
            raise not_found("account", field="name") from error
        return json_response(_in_full(account, wanted))

    async def _account(self, request: web.Request) -> Account:
        account_id = f"{request.match_info['channel']}/{request.match_info['name']}"
        for account, _ in await self._accounts.all():
            if account.id == account_id:
                return account
        raise not_found("account", field="name")


def _in_full(account: Account, policy: Policy) -> dict[str, Any]:
    able = discover()[account.channel].capabilities
    return {
        "chosen": policy.model_dump(mode="json"),
        "effective": {kind.value: manner(policy, able, kind) for kind in Kind},
        "choices": {kind.value: choices(able, kind) for kind in Kind},
    }
