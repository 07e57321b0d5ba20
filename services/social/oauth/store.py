"""What a grant is at rest: tokens sealed beside their account, versions that only grow, one renewal at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.social.channels.oauth import Tokens
from services.social.domain.forecast import WARN_DAYS, renew_at, step
from services.social.store import Accounts
from shared.contracts.events import Outgoing
from shared.runtime.clock import Clock
from shared.runtime.ids import new_token
from shared.runtime.keys import Vault
from shared.storage.client import Document
from shared.storage.outbox import append, entry

OF_A_VERSION: Document = dict.fromkeys(
    ("renewal", "renewal_failures", "renewal_problem", "refused", "warned", "revived_at"), ""
)
"""What is known of credentials and ends with them."""
SHOWN = {
    "credentials_version": 1, "obtained_at": 1, "expires_at": 1, "refresh_expires_at": 1, "renew_at": 1,
    "renewal": 1, "renewal_failures": 1, "renewal_problem": 1, "refused": 1, "revived_at": 1,
    "warned": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """How an account's credentials stand; no secret."""

    account_id: str
    version: int
    obtained_at: datetime | None
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    renew_at: datetime | None
    """When Herald renews them by itself; None where it cannot."""
    refused: str | None
    """Why the network renewed them no more; only a person gets new ones."""
    failures: int
    problem: str | None
    """Why the last renewal came to nothing."""
    revived_at: datetime | None
    warned: int | None
    """The last of `WARN_DAYS` that operators were told."""

    @property
    def refreshes(self) -> bool:
        return self.renew_at is not None

    @property
    def ends_at(self) -> datetime | None:
        """From when on only a person can get new ones; None where that is not known."""
        return self.refresh_expires_at if self.refreshes else self.expires_at


@dataclass(frozen=True)
class Renewal:
    """The right to renew one version, held until a lease runs out."""

    standing: Standing
    token: str
    settings: dict[str, Any]
    tokens: Tokens
    cut_off: bool
    """An earlier holder never said what became of its call: the network may have rotated already."""


class Credentials:
    """The credentials of `accounts`; each write is one update of one document."""

    def __init__(self, accounts: Accounts, vault: Vault, clock: Clock) -> None:
        self._accounts = accounts
        self._collection = accounts.collection
        self._vault = vault
        self._clock = clock

    async def declare(self) -> None:
        for name in ("renew_at", "ends_at", "identity"):
            await self._collection.create_index([(name, 1)], name=name, sparse=True)

    async def grant(
        self,
        channel: str,
        name: str,
        settings: dict[str, Any],
        tokens: Tokens,
        *,
        identity: str,
        renewable: bool,
    ) -> int:
        """Keep what a person consented to, in the place of what was there; answers the new version."""
        now = self._clock.now()
        kept = await self._collection.find_one_and_update(
            {"_id": f"{channel}/{name}"},
            {
                "$set": self._kept(settings, tokens, now, renewable) | {"identity": identity},
                "$inc": {"credentials_version": 1},
                "$unset": OF_A_VERSION,
                "$setOnInsert": {"channel": channel, "name": name, "created_at": now},
            },
            upsert=True,
        )
        return int((kept or {})["credentials_version"])

    async def holder(self, channel: str, identity: str) -> str | None:
        """Our account that posts as `identity` already."""
        found = await self._collection.find_one({"identity": identity, "channel": channel})
        return str(found["_id"]) if found else None

    async def identity(self, account_id: str) -> str | None:
        found = await self._collection.find_one({"_id": account_id}, {"identity": 1})
        return (found or {}).get("identity")

    async def all(self) -> dict[str, Standing]:
        found = await self._collection.find({}, SHOWN)
        return {one["_id"]: _standing(one) for one in found}

    async def of(self, account_id: str) -> Standing | None:
        found = await self._collection.find_one({"_id": account_id}, SHOWN)
        return _standing(found) if found else None

    async def claim(
        self, standing: Standing, lease: timedelta, *, reviving: bool
    ) -> Renewal | None:
        """The right to renew this very version; None while another holds it, or it is no more."""
        now, token = self._clock.now(), new_token()
        claimed = await self._collection.find_one_and_update(
            {
                "_id": standing.account_id,
                "credentials_version": standing.version,
                "renew_at": {"$ne": None},
                "refused": None,
                "$or": [{"renewal": None}, {"renewal.until": {"$lte": now}}],
            },
            [
                {
                    "$set": {
                        # Of a lease that ran out, and of a call whose answer never came.
                        "renewal": {
                            "token": token,
                            "until": now + lease,
                            "cut_off": {
                                "$or": [
                                    {"$ne": [{"$type": "$renewal.token"}, "missing"]},
                                    {"$eq": ["$renewal.cut_off", True]},
                                ]
                            },
                        },
                        **({"revived_at": now} if reviving else {}),
                    }
                }
            ],
        )
        if claimed is None:
            return None
        grant = self._vault.open(claimed["sealed_grant"])
        return Renewal(
            standing=_standing(claimed),
            token=token,
            settings=self._vault.open(claimed["sealed"]),
            tokens=Tokens(
                access_token=str(grant["access_token"]), refresh_token=str(grant["refresh_token"])
            ),
            cut_off=bool(claimed["renewal"]["cut_off"]),
        )

    async def renewed(self, renewal: Renewal, settings: dict[str, Any], tokens: Tokens) -> bool:
        """Keep the new tokens. False when a person has connected the account anew meanwhile.

        Whoever holds the lease by now: these tokens are the only ones that work.
        """
        standing, now = renewal.standing, self._clock.now()
        kept = self._kept(settings, tokens, now, renewable=True)
        if tokens.refresh_token == renewal.tokens.refresh_token and not tokens.refresh_expires_in:
            # The same refresh token ends when it did, also where the network does not say so again.
            kept |= dict.fromkeys(("refresh_expires_at", "ends_at"), standing.refresh_expires_at)
        if standing.revived_at:
            kept |= {"revived_at": standing.revived_at}
        # An end that a renewal does not put off (LinkedIn's year) is not news a second time.
        near = step(kept["ends_at"], now) if kept["ends_at"] else None
        lasting = {"revived_at", *(("warned",) if near is not None else ())}
        change: Document = {
            "$set": kept,
            "$inc": {"credentials_version": 1},
            "$unset": {name: "" for name in OF_A_VERSION if name not in lasting},
        }
        if near is not None and standing.warned is not None:
            change["$max"] = {"warned": near}
        return await self._collection.update_one(
            {"_id": standing.account_id, "credentials_version": standing.version}, change
        )

    async def put_off(
        self,
        renewal: Renewal,
        reason: str,
        until: datetime,
        *,
        in_doubt: bool,
        event: Outgoing | None,
    ) -> None:
        """Nobody tries before `until`; `in_doubt` says that the network may have rotated unheard."""
        change: Document = {
            "$set": {
                "renewal": {"until": until, "cut_off": in_doubt or renewal.cut_off},
                "renewal_problem": reason,
                "renew_at": until,
            },
            "$inc": {"renewal_failures": 1},
        }
        await self._end(renewal, _announcing(change, event, self._clock.now()))

    async def refuse(self, renewal: Renewal, reason: str) -> bool:
        """Nobody tries this version again. False when it is not the newest any more."""
        change: Document = {"$set": {"refused": reason}, "$unset": {"renewal": "", "renew_at": ""}}
        return await self._end(renewal, change)

    async def _end(self, renewal: Renewal, change: Document) -> bool:
        return await self._collection.update_one(
            {
                "_id": renewal.standing.account_id,
                "credentials_version": renewal.standing.version,
                "renewal.token": renewal.token,
            },
            change,
        )

    async def due(self) -> list[str]:
        """Accounts whose credentials should be renewed now."""
        due = {"$lte": self._clock.now()}
        found = await self._collection.find({"renew_at": due}, {"_id": 1}, limit=100)
        return [str(one["_id"]) for one in found]

    async def ending(self) -> list[tuple[Standing, int]]:
        """Accounts that a person must be told of, with the step of `WARN_DAYS` that has come."""
        now = self._clock.now()
        soon = {"$lte": now + timedelta(days=max(WARN_DAYS))}
        found = await self._collection.find({"ends_at": soon}, SHOWN | {"ends_at": 1})
        return [
            (_standing(one), days)
            for one in found
            if (days := step(one["ends_at"], now)) is not None
            and (one.get("warned") is None or one["warned"] > days)
        ]

    async def warn(self, standing: Standing, days: int, event: Outgoing) -> bool:
        """Say it once, whichever replica comes first: the mark and the event are one write."""
        change = _announcing({"$set": {"warned": days}}, event, self._clock.now())
        return await self._collection.update_one(
            {
                "_id": standing.account_id,
                "credentials_version": standing.version,
                "$or": [{"warned": None}, {"warned": {"$gt": days}}],
            },
            change,
        )

    def _kept(
        self, settings: dict[str, Any], tokens: Tokens, now: datetime, renewable: bool
    ) -> Document:
        expires = _after(now, tokens.expires_in)
        renews = renewable and tokens.refresh_token is not None
        refresh_expires = _after(now, tokens.refresh_expires_in) if renews else None
        grant: dict[str, object] = {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
        }
        return {
            "sealed": self._vault.seal(settings),
            "sealed_grant": self._vault.seal(grant),
            "obtained_at": now,
            "expires_at": expires,
            "refresh_expires_at": refresh_expires,
            "renew_at": renew_at(now, expires) if renews and expires else None,
            "ends_at": refresh_expires if renews else expires,
        }


def _standing(found: Document) -> Standing:
    return Standing(
        account_id=found["_id"],
        version=found.get("credentials_version", 0),
        obtained_at=found.get("obtained_at"),
        expires_at=found.get("expires_at"),
        refresh_expires_at=found.get("refresh_expires_at"),
        renew_at=found.get("renew_at"),
        refused=found.get("refused"),
        failures=found.get("renewal_failures", 0),
        problem=found.get("renewal_problem"),
        revived_at=found.get("revived_at"),
        warned=found.get("warned"),
    )


def _after(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


def _announcing(change: Document, event: Outgoing | None, now: datetime) -> Document:
    """The change with an event in the account's outbox, as one update."""
    if event is None:
        return change
    outbox = append(entry(event, now))
    return change | outbox | {"$set": change.get("$set", {}) | outbox["$set"]}
