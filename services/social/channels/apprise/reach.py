"""Which of Apprise's services an account may use, by the scheme of its address, and which file each is in. Pure.

Never one that runs something here, speaks anything but HTTP, bills by the message, or needs marked-up text.
"""

from __future__ import annotations

SERVICES: dict[str, tuple[str, ...]] = {
    "bale": ("bale",),
    "bark": ("bark", "barks"),
    "chanify": ("chanify",),
    "custom_form": ("form", "forms"),
    "custom_json": ("json", "jsons"),
    "custom_xml": ("xml", "xmls"),
    "dingtalk": ("dingtalk",),
    "feishu": ("feishu",),
    "flock": ("flock",),
    "gotify": ("gotify", "gotifys"),
    "groupme": ("groupme",),
    "home_assistant": ("hassio", "hassios"),
    "humhub": ("humhub", "humhubs"),
    "ifttt": ("ifttt",),
    "join": ("join",),
    "lark": ("lark",),
    "line": ("line",),
    "mattermost": ("mmost", "mmosts"),
    "misskey": ("misskey", "misskeys"),
    "nextcloudtalk": ("nctalk", "nctalks"),
    "notica": ("notica", "noticas"),
    "notifiarr": ("notifiarr",),
    "notifico": ("notifico", "notificos"),
    "ntfy": ("ntfy", "ntfys"),
    "one_signal": ("onesignal",),
    "onebot": ("onebot", "onebots"),
    "pushbullet": ("pbul",),
    "pushed": ("pushed",),
    "pushjet": ("pjet", "pjets"),
    "pushme": ("pushme",),
    "pushover": ("pover",),
    "pushsafer": ("psafer", "psafers"),
    "pushy": ("pushy",),
    "qq": ("qq",),
    "ryver": ("ryver",),
    "serverchan": ("schan",),
    "signal_api": ("signal", "signals"),
    "spugpush": ("spugpush",),
    "stackfield": ("stackfield",),
    "synology": ("synology", "synologys"),
    "techuluspush": ("push",),
    "threema": ("threema",),
    "viber": ("viber",),
    "wecombot": ("wecombot",),
    "wpush": ("wpush",),
    "wxpusher": ("wxpusher",),
    "zoom": ("zoom",),
    "zulip": ("zulip",),
}
"""File of the plugin -> its schemes. A newer Apprise adds nothing here by itself."""

FILES = {scheme: file for file, schemes in SERVICES.items() for scheme in schemes}

OWN = {
    **dict.fromkeys(("bluesky", "bsky"), "bluesky"),
    "discord": "discord",
    "instagram": "instagram",
    **dict.fromkeys(("mastodon", "mastodons", "toot", "toots"), "mastodon"),
    "slack": "slack",
    **dict.fromkeys(("tgram",), "telegram"),
    **dict.fromkeys(("twitter", "tweet", "x"), "x"),
}
"""Scheme -> the channel that serves the same network, and can edit, delete or look up there."""

GENERAL_OPTIONS = frozenset(
    {
        "cto",
        "emojis",
        "format",
        "optional",
        "overflow",
        "redirect",
        "retry",
        "rto",
        "store",
        "tz",
        "verify",
        "wait",
    }
)
"""Options that Apprise knows for every service. What they switch is settled here: one message of plain
words, sent once, over a checked connection."""


def scheme_of(address: str) -> str:
    """The scheme of an Apprise address, in lower case; "" where it has none."""
    before, mark, _ = address.partition("://")
    return before.lower() if mark else ""
