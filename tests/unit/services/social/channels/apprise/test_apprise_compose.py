"""The message for an article: what it says, within any room, and the address that an account may have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.apprise.compose import (
    MOST,
    MessagePayload,
    Room,
    compose,
    compose_correction,
    fit,
    length,
)
from services.social.channels.apprise.reach import FILES, GENERAL_OPTIONS, OWN, SERVICES, scheme_of
from services.social.channels.apprise.settings import AppriseSettings
from shared.contracts.articles import Article, Correction, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECRET = "AtokenNobodyMaySee"
SETTINGS = AppriseSettings(url=SecretStr(f"gotifys://push.example.org/{SECRET}"))
WIDE, NARROW, UNTITLED = (
    Room(title=250, body=32768),
    Room(title=60, body=512),
    Room(title=0, body=512),
)
LINK = "https://news.example/budget?utm_source=apprise&utm_medium=social"


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the *budget*",
        "standfirst": "Schools get more, roads get less.",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "language": "en-GB",
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(*texts: str) -> Article:
    return article(
        corrections=tuple(Correction(at=NOW, kind="correction", text=text) for text in texts)
    )


def made(told: Article, room: Room = WIDE) -> MessagePayload:
    return compose(told, settings=SETTINGS, room=room)


def test_the_headline_is_the_title_and_the_standfirst_the_text() -> None:
    message = made(article())
    assert message.title == "Council passes the *budget*"
    assert message.body == f"Schools get more, roads get less.\n\n{LINK}"
    assert message.kind == "info"


def test_where_there_are_no_titles_all_of_it_is_text() -> None:
    message = made(article(), UNTITLED)
    assert message.title == ""
    assert message.body.startswith("Council passes the *budget*\n\nSchools get more")
    assert message.body.endswith(LINK)


def test_the_editors_words_replace_both_and_keep_their_link_where_it_is() -> None:
    own = "Read https://news.example/budget before the meeting."
    message = made(article(social={"apprise": own}))
    assert (message.title, message.body) == ("", f"Read {LINK} before the meeting.")


def test_a_correction_is_a_message_of_its_own_with_a_link_of_its_own() -> None:
    told = corrected("Roads get more, too.", "And bridges.")
    message = compose_correction(told, settings=SETTINGS, room=WIDE, told=1)
    assert message.kind == "warning"
    assert message.body == f"Correction: And bridges.\n\n{LINK}&utm_content=correction-2"
    both = compose_correction(told, settings=SETTINGS, room=WIDE, told=0)
    assert both.body.startswith("Correction: And bridges.\n\nCorrection: Roads get more, too.")


def test_a_title_is_one_line_because_it_may_become_a_header() -> None:
    assert made(article(headline="A\r\nB:\u2028 c\x85d")).title == "A B: c d"


def test_a_link_without_room_is_given_up() -> None:
    with pytest.raises(GiveUp, match="the link alone"):
        made(article(url="https://news.example/" + "x" * 600), NARROW)


WORDS = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["👩🏽‍🚒" * 90, "مرحبا بالعالم " * 90, "東京、" * 300, "word " * 700, '"\\\n' * 400]
    ),
)


@given(WORDS, WORDS, st.sampled_from([WIDE, NARROW, UNTITLED]))
def test_whatever_is_said_fits_the_room_in_any_count(headline: str, text: str, room: Room) -> None:
    message = made(article(headline=headline or "A", standfirst=text), room)
    assert length(message.title) <= room.title
    assert length(message.body) <= room.body
    assert length(message.text) <= message.limit <= MOST
    assert len(message.text.encode("utf-16-le")) // 2 <= length(message.text)
    assert message.body.endswith(LINK)


@given(st.text(), st.integers(0, 400))
def test_fitting_never_exceeds_and_never_splits_a_character(text: str, limit: int) -> None:
    kept = fit(text, limit)
    assert length(kept) <= limit
    kept.encode()


@pytest.mark.parametrize("scheme", sorted(FILES))
def test_every_service_of_the_list_is_taken_in_any_case(scheme: str) -> None:
    for spelled in (scheme, scheme.upper()):
        address = SecretStr(f"{spelled}://{SECRET}/x")
        assert AppriseSettings(url=address).url.get_secret_value() == f"{spelled}://{SECRET}/x"


REFUSED = [
    "",
    SECRET,
    f"://{SECRET}",
    f"https://{SECRET}.example/hook",
    *(
        f"{scheme}://{SECRET}"
        for scheme in (
            "syslog", "rsyslog", "dbus", "qt", "kde", "glib", "gnome", "windows", "macosx", "growl",
            "mqtt", "mqtts", "mailto", "mailtos", "smpp", "aprs", "xmpp", "irc", "file", "twilio",
            "apprise", "msteams", "matrix", "custom", "exec",
        )
    ),
    *(f"{scheme}://{SECRET}" for scheme in OWN),
    f"gotifys://push.example.org/{SECRET} gotifys://other.example/t",
    f"gotifys://push.example.org/{SECRET}\ngotifys://other.example/t",
    f"gotifys://push.example.org/{SECRET}\x00",
    f"gotifys://push.example.org/{SECRET}" + "x" * 2000,
    *(f"gotifys://push.example.org/{SECRET}?{option}=1" for option in sorted(GENERAL_OPTIONS)),
    f"gotifys://push.example.org/{SECRET}?priority=high&Verify=no",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_cannot_be_reached_is_refused_in_words_that_repeat_nothing(address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AppriseSettings(url=SecretStr(address))
    for error in caught.value.errors():
        assert SECRET not in error["msg"]
        assert error["loc"] == ("url",)


def test_the_address_is_not_shown() -> None:
    assert SECRET not in repr(SETTINGS) + str(SETTINGS.model_dump()) + SETTINGS.model_dump_json()


@given(st.text(max_size=40))
def test_a_scheme_is_read_of_anything(text: str) -> None:
    assert scheme_of(text) in ("", text.partition("://")[0].lower())


def test_no_scheme_leads_to_two_services() -> None:
    schemes = [scheme for each in SERVICES.values() for scheme in each]
    assert len(schemes) == len(set(schemes)) == len(FILES)
    assert not FILES.keys() & OWN.keys()
