"""Links in mails: they say what they were signed for, nothing else, and confirmation ends after a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.errors import BadLink
from services.notifications.domain.links import ConfirmLink, LeaveLink, Links
from shared.runtime.keys import KeyRing

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PERSON = "019ab000-0000-7000-8000-000000000001"
LINKS = Links(KeyRing("k" * 32), "https://news.example")


def _token(url: str) -> str:
    return parse_qs(urlsplit(url).query)["t"][0]


def test_a_confirmation_is_read_back_within_seven_days() -> None:
    link = ConfirmLink(PERSON, NOW)
    token = _token(LINKS.confirm_url(link))
    assert LINKS.read_confirm(token, NOW + timedelta(days=7)) == link
    with pytest.raises(BadLink, match="seven days"):
        LINKS.read_confirm(token, NOW + timedelta(days=7, seconds=1))


def test_the_way_out_never_expires_and_fits_one_header_line() -> None:
    url = LINKS.leave_url(LeaveLink(PERSON, "alerts"))
    assert LINKS.read_leave(_token(url)) == LeaveLink(PERSON, "alerts")
    assert len(url) < 200
    assert url.startswith("https://news.example/api/v1/subscriptions/unsubscribe?t=")


def test_one_link_is_not_the_other_and_another_key_signs_nothing() -> None:
    confirm = _token(LINKS.confirm_url(ConfirmLink(PERSON, NOW)))
    leave = _token(LINKS.leave_url(LeaveLink(PERSON, "alerts")))
    with pytest.raises(BadLink):
        LINKS.read_leave(confirm)
    with pytest.raises(BadLink):
        LINKS.read_confirm(leave, NOW)
    with pytest.raises(BadLink):
        Links(KeyRing("j" * 32), "https://news.example").read_leave(leave)


@given(st.text(max_size=250))
def test_no_text_is_a_link(text: str) -> None:
    with pytest.raises(BadLink):
        LINKS.read_leave(text)
    with pytest.raises(BadLink):
        LINKS.read_confirm(text, NOW)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_link_with_one_letter_changed_is_refused(place: int, letter: str) -> None:
    token = _token(LINKS.leave_url(LeaveLink(PERSON, "alerts")))
    place %= len(token)
    if token[place] == letter:
        return
    with pytest.raises(BadLink):
        LINKS.read_leave(token[:place] + letter + token[place + 1 :])
