"""Writes text in Slack's mrkdwn and counts it. Must never let an article call anybody or forge a link."""

from __future__ import annotations

import html

import regex

from services.social.channels import campaign, fitting
from services.social.channels.slack.settings import SlackSettings

# `<`, `>` and `|` end an address in mrkdwn; full stops and the like at its end belong to the sentence.
_ADDRESS = regex.compile(r"https?://[^\s<>|]*[^\s<>|.,:;!?\"'”’»)\]]")


def length(text: str) -> int:
    """UTF-16 code units of what is sent, escapes included: never fewer than the network counts."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit` once escaped, else its beginning and "…"; still plain."""
    return fitting.fit(text, limit, lambda part: length(escaped(part)))


def escaped(text: str) -> str:
    """`text` as mrkdwn: `&`, `<` and `>` as entities, each address in `<…>` so that it is a link."""
    pieces: list[str] = []
    position = 0
    for found in _ADDRESS.finditer(text):
        pieces += [_entities(text[position : found.start()]), f"<{_entities(found[0])}>"]
        position = found.end()
    return "".join([*pieces, _entities(text[position:])])


def _entities(text: str) -> str:
    return html.escape(text, quote=False)


def tracked(url: str, settings: SlackSettings, content: str = "") -> str:
    """See `channels.campaign`; without the bar that would end an address in mrkdwn."""
    return campaign.tracked(url, settings, content).replace("|", "%7C")
