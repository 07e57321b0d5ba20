"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.faults import FaultSwitches
from services.social.channels.telegram.fake_rules import Refusal, bad, too_many

CALLS = ("", "edit:", "delete:")
"""What faults can hit; see `channels.faults`."""
OWN = {
    "kicked": "is refused because the bot was thrown out of the chat",
    "no_rights": "is refused because the bot lost its rights",
    "moved": "is refused because the group became a supergroup; the answer names the new one",
}
MOVED_TO = -1009876543210
RETRY_SECONDS = 2


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self) -> None:
        super().__init__(CALLS, OWN, CALLS)

    def before(self, call: str) -> None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self.take(f"{call}error_before"):
            raise Refusal(502, "Bad Gateway")
        if self.take(f"{call}rate_limited"):
            raise too_many(RETRY_SECONDS)
        if self.take(f"{call}auth_dead"):
            raise Refusal(401, "Unauthorized")
        if self.take(f"{call}refuse"):
            raise bad("refused by the sandbox")
        if self.take(f"{call}kicked"):
            raise Refusal(403, "Forbidden: bot was kicked from the channel chat")
        if self.take(f"{call}no_rights"):
            raise bad("need administrator rights in the channel chat")
        if self.take(f"{call}moved"):
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=MOVED_TO)

    def broken(self) -> web.StreamResponse:
        raise Refusal(500, "Internal Server Error")
