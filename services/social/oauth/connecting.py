"""Connecting an account by consent: begin, come back, choose. Nothing is connected until the one who began it says so.

The way back is open to anybody with the state, because a network sends a browser there and no token of ours; so it
only exchanges the code. The account appears by a signed-in call of the very person who asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from yarl import URL

from services.social.channels.base import ChannelSpec
from services.social.channels.oauth import CALLBACK, App, Ask, Choice, Code, OAuthFlow, Tokens
from services.social.domain.errors import (
    ChoiceRefused,
    NoSuchAccount,
    NotConnectable,
    NotConsentedYet,
    SettingRefused,
    StateRefused,
    UnknownChannel,
)
from services.social.oauth.alerts import BY, DEAD
from services.social.oauth.apps import Apps, Registered
from services.social.oauth.asking import understood
from services.social.oauth.consents import Consent, Consents
from services.social.oauth.proof import challenge, new_state, new_verifier
from services.social.oauth.renewing import Specs
from services.social.oauth.store import Credentials
from services.social.store import Accounts
from services.social.usecases import plain
from shared.delivery.errors import DeliveryError

ADDRESSES = ("server", "web", "login")
"""Settings that say where a network answers. They belong to the app: its secret is sent there."""


class Connecting:
    """The acts of connecting; `public_url` is where networks send people back to."""

    def __init__(
        self,
        accounts: Accounts,
        credentials: Credentials,
        apps: Apps,
        consents: Consents,
        ask: Ask,
        specs: Specs,
        *,
        public_url: str,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._apps = apps
        self._consents = consents
        self._ask = ask
        self._specs = specs
        self._redirect_uri = f"{public_url.rstrip('/')}{CALLBACK}"

    async def enter_app(self, channel: str, app: App, stated: Mapping[str, str]) -> None:
        """Keep the newsroom's app, with every address its secret may be sent to.

        Raises `UnknownChannel`, `NotConnectable`, `SettingRefused`, or `pydantic.ValidationError`.
        """
        spec, flow = self._flow(channel)
        if flow.register is not None:
            raise NotConnectable("Herald registers itself at the account's server")
        own = [name for name in ADDRESSES if name in spec.settings.model_fields]
        for name in stated:
            if name not in own:
                raise SettingRefused(name, f"only addresses belong here: {', '.join(own)}")
        checked = spec.settings.model_validate({**flow.filled, **stated})
        addresses = {name: str(getattr(checked, name)) for name in own}
        await self._apps.keep(channel, Registered(app, addresses))

    async def begin(
        self, user: str, channel: str, name: str, stated: Mapping[str, Any]
    ) -> tuple[Consent, str]:
        """The connection under way and the address of the page where people consent.

        An account that is there keeps the settings that are not stated. Raises like `enter_app`.
        """
        spec, flow = self._flow(channel)
        for field in stated:
            if field in flow.filled:
                raise SettingRefused(field, "the consent fills it")
        entered = await self._entered(channel) if flow.register is None else None
        addresses = entered.addresses if entered else {}
        for field in stated:
            if field in addresses and stated[field] != addresses[field]:
                raise SettingRefused(field, "the app's own address is used; enter the app anew")
        kept = await self._kept(f"{channel}/{name}", flow)
        settings = spec.settings.model_validate({**kept, **stated, **addresses, **flow.filled})
        app = entered.app if entered else await self._registered_at(channel, flow, settings)
        state, verifier = new_state(), new_verifier()
        secrets = {
            "settings": plain(settings),
            "verifier": verifier,
            # The code is for this app, whatever is entered or registered by then.
            "app": {"client_id": app.client_id, "client_secret": app.client_secret},
        }
        consent = await self._consents.begin(user, channel, name, state, secrets)
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": flow.separator.join(flow.scopes),
            "state": state,
        }
        if flow.pkce:
            query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        return consent, str(URL(flow.consent(settings)).update_query(query))

    async def come_back(self, state: str, code: str | None, error: str | None) -> Consent:
        """Take the state, once, and exchange the code for tokens. Raises `StateRefused`."""
        consent = await self._consents.take(state)
        if consent is None:
            raise StateRefused("this connection is not under way; begin again")
        try:
            if code is None:
                raise NotConsentedYet(f"the network sent no code: {error or 'no reason given'}")
            await self._exchange(consent, code)
        except (DeliveryError, NotConnectable, NotConsentedYet, ValueError) as failure:
            said = failure.reason if isinstance(failure, DeliveryError) else str(failure)
            await self._consents.fail(consent, said)
        return await self.seen(consent.id, consent.user)

    async def seen(self, id: str, user: str) -> Consent:
        """How it stands, for the one who began it. Raises `StateRefused`."""
        consent = await self._consents.of(id, user)
        if consent is None:
            raise StateRefused("this connection is not under way; begin again")
        return consent

    async def finish(self, id: str, user: str, chosen: str | None) -> str:
        """Connect the account as what was chosen, or replace its credentials; answers its id.

        Raises `StateRefused`, `NotConsentedYet` or `ChoiceRefused`.
        """
        consent = await self.seen(id, user)
        if consent.status == "failed":
            raise NotConsentedYet(consent.reason or "it came to nothing; begin again")
        if consent.status != "granted":
            raise NotConsentedYet("nobody has consented yet")
        _, flow = self._flow(consent.channel)
        choice = _chosen(consent.choices, chosen)
        account_id = f"{consent.channel}/{consent.name}"
        await self._refuse_mixing_up(account_id, consent.channel, choice["id"])
        granted = consent.secrets["tokens"]
        tokens = Tokens(**(choice["tokens"] or granted))
        settings = {
            **consent.secrets["settings"],
            **choice["settings"],
            next(iter(flow.filled)): tokens.access_token,
        }
        await self._credentials.grant(
            consent.channel,
            consent.name,
            settings,
            tokens,
            identity=choice["id"],
            renewable=flow.refresh is not None and choice["tokens"] is None,
        )
        await self._consents.end(consent)
        await self._accounts.revive(account_id, BY, DEAD)
        return account_id

    async def _exchange(self, consent: Consent, code: str) -> None:
        spec, flow = self._flow(consent.channel)
        settings: BaseModel = spec.settings.model_validate(consent.secrets["settings"])
        app = App(**consent.secrets["app"])
        proof = Code(code, consent.secrets["verifier"], self._redirect_uri)
        tokens = await understood(flow.exchange(self._ask, app, settings, proof))
        choices = await understood(flow.choices(self._ask, settings, tokens))
        if not choices:
            raise NotConsentedYet("the consent reaches no account that can be posted as")
        await self._consents.grant(
            consent,
            {
                "settings": consent.secrets["settings"],
                "tokens": _kept_tokens(tokens),
                "choices": [_kept_choice(choice) for choice in choices],
            },
        )

    async def _refuse_mixing_up(self, account_id: str, channel: str, identity: str) -> None:
        """Each account here is one account there, or an article would be posted twice."""
        before = await self._credentials.identity(account_id)
        if before is not None and before != identity:
            raise ChoiceRefused("this account was connected as another one there; take a new name")
        holder = await self._credentials.holder(channel, identity)
        if holder is not None and holder != account_id:
            raise ChoiceRefused(f"{holder} posts as it already")

    async def _kept(self, account_id: str, flow: OAuthFlow) -> dict[str, Any]:
        try:
            kept = await self._accounts.settings(account_id)
        except (NoSuchAccount, ValueError):  # or sealed with a key that is gone
            return {}
        return {
            name: value
            for name, value in kept.items()
            # Those of an entered app come with it.
            if name not in flow.filled and (flow.register or name not in ADDRESSES)
        }

    def _flow(self, channel: str) -> tuple[ChannelSpec, OAuthFlow]:
        spec = self._specs().get(channel)
        if spec is None:
            raise UnknownChannel(channel)
        if spec.oauth is None:
            raise NotConnectable("accounts of this channel are connected by entering credentials")
        return spec, spec.oauth

    async def _registered_at(self, channel: str, flow: OAuthFlow, settings: Any) -> App:
        """Our app at the account's server: the one it knows already, or a new one."""
        # An app is good for one server and for one address to come back to.
        key = f"{channel} {settings.server} {self._redirect_uri}"
        try:
            known = await self._apps.of(key)
        except ValueError:  # sealed with a key that is gone
            known = None
        try:
            if known and flow.knows and await flow.knows(self._ask, settings, known.app):
                return known.app
            if flow.register is None:
                raise NotConnectable("enter the credentials of the newsroom's app first")
            uri = self._redirect_uri
            app = await understood(flow.register(self._ask, settings, uri, flow.scopes))
        except DeliveryError as error:
            raise SettingRefused("server", f"cannot register there: {error.reason}") from error
        await self._apps.keep(key, Registered(app, {"server": settings.server}))
        return app

    async def _entered(self, channel: str) -> Registered:
        try:
            registered = await self._apps.of(channel)
        except ValueError as error:
            raise NotConnectable(str(error)) from error
        if registered is None:
            raise NotConnectable("enter the credentials of the newsroom's app first")
        return registered


def _chosen(choices: list[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    if wanted is None and len(choices) == 1:
        return choices[0]
    found = next((choice for choice in choices if choice["id"] == wanted), None)
    if found is None:
        known = ", ".join(f"{choice['id']} ({choice['name']})" for choice in choices)
        raise ChoiceRefused(f"choose one of: {known}")
    return found


def _kept_choice(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.id,
        "name": choice.name,
        "settings": dict(choice.settings),
        "tokens": _kept_tokens(choice.tokens) if choice.tokens else None,
    }


def _kept_tokens(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        "refresh_expires_in": tokens.refresh_expires_in,
    }
