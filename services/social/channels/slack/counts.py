"""Reads how many reacted to a message: `reactions.get`, with the scope `reactions:read`. Changes nothing."""

from __future__ import annotations

from services.social.channels.base import Posted
from services.social.channels.counting import is_count
from services.social.channels.slack.client import SlackClient, error_name
from services.social.channels.slack.compose import Remembered
from shared.contracts.outlets import Counts
from shared.delivery.errors import AuthDead, GiveUp, TryAgain


async def read(client: SlackClient, channel: str, post: Posted) -> dict[str, Counts | None]:
    """Reactions of every emoji together. `channel` is the account's own by now."""
    where = Remembered.model_validate(post.extra).channel or channel
    params = {"channel": where, "timestamp": post.remote_id, "full": "true"}
    try:
        answer = await client.read("reactions.get", params, bear={"message_not_found"})
    except AuthDead as error:
        if where == channel:
            raise
        # A channel of the past that lets us in no more says nothing about the account.
        raise GiveUp(error.reason) from error
    if error_name(answer) == "message_not_found":
        return {post.remote_id: None}
    message = answer.body.get("message")
    if not isinstance(message, dict):
        raise TryAgain("a success without the message that belongs to it")
    reactions = message.get("reactions", [])
    if not isinstance(reactions, list):
        raise TryAgain("the reactions came without a list")
    numbers = [one.get("count") for one in reactions if isinstance(one, dict)]
    likes = sum(number for number in numbers if is_count(number))
    return {post.remote_id: Counts(likes=likes) if is_count(likes) else Counts()}
