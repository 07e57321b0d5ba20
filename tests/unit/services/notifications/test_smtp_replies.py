"""The table of SMTP replies: whose fault each is, and what it leads to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.mail.replies import Phase, judge

S, R, M, C = Phase.SENDER, Phase.RECIPIENT, Phase.MESSAGE, Phase.RELAY
AGAIN, GIVE_UP = True, False

TABLE = [
    # phase, code, text, again, after, whole relay, ours
    (C, 421, "4.3.2 shutting down", AGAIN, None, True, True),
    (C, 535, "5.7.8 authentication failed", AGAIN, None, True, True),
    (C, 554, "no service", AGAIN, None, True, True),
    (S, 421, "4.3.2 try later", AGAIN, 10, True, False),
    (R, 421, "too many connections", AGAIN, 10, True, False),
    (M, 421, "closing", AGAIN, 10, True, False),
    (S, 451, "4.3.0 local error", AGAIN, None, False, False),
    (R, 450, "4.2.0 greylisted", AGAIN, None, False, False),
    (R, 451, "4.4.1 no answer", AGAIN, None, False, False),
    (M, 452, "4.3.1 storage", AGAIN, None, False, False),
    (M, 454, "Throttling failure: Maximum sending rate exceeded.", AGAIN, 60, True, False),
    (R, 421, "4.7.28 unusual rate of mail", AGAIN, 600, True, False),
    (R, 450, "4.7.1 policy, slow down", AGAIN, 60, True, False),
    (R, 452, "4.2.2 mailbox full", AGAIN, 3600, False, False),
    (R, 552, "5.2.2 mailbox full", AGAIN, 3600, False, False),
    (R, 550, "5.2.1 The user is receiving mail too quickly", AGAIN, 3600, False, False),
    (R, 450, "4.2.1 receiving mail at a rate that prevents", AGAIN, 3600, False, False),
    (R, 550, "5.2.1 mailbox disabled", GIVE_UP, None, False, False),
    (R, 550, "5.1.1 no such user", GIVE_UP, None, False, False),
    (R, 550, "5.1.2 no such domain", GIVE_UP, None, False, False),
    (R, 553, "5.1.3 bad address", GIVE_UP, None, False, False),
    (R, 550, "No such user here", GIVE_UP, None, False, False),
    (R, 551, "not local", GIVE_UP, None, False, False),
    (M, 550, "5.1.1 no such user", GIVE_UP, None, False, False),
    (R, 550, "5.7.1 relaying denied", AGAIN, 3600, False, True),
    (M, 550, "5.7.26 unauthenticated mail", AGAIN, 3600, False, True),
    (M, 550, "5.7.515 access denied", AGAIN, 3600, False, True),
    (M, 554, "5.7.1 spam", AGAIN, 3600, False, True),
    (M, 550, "5.4.5 daily quota", AGAIN, 3600, True, True),
    (M, 552, "5.3.4 too big", GIVE_UP, None, False, True),
    (M, 550, "5.6.0 malformed", GIVE_UP, None, False, True),
    (S, 550, "sender refused", AGAIN, 3600, True, True),
    (M, 554, "transaction failed", GIVE_UP, None, False, True),
]


@pytest.mark.parametrize(("phase", "code", "text", "again", "after", "whole", "ours"), TABLE)
def test_the_table(
    phase: Phase, code: int, text: str, again: bool, after: float | None, whole: bool, ours: bool
) -> None:
    found = judge(phase, code, text)
    assert (found.again, found.after, found.whole_relay, found.ours) == (again, after, whole, ours)
    assert str(code) in found.reason


def test_the_extended_code_wins_over_the_digits() -> None:
    assert judge(R, 550, "4.4.2 odd but temporary").again
    assert not judge(R, 450, "5.1.1 odd but final").again


def test_an_address_in_the_text_is_no_extended_code() -> None:
    assert not judge(R, 550, "blocked 5.7.1.9 no such user").again


@given(st.sampled_from(Phase), st.integers(400, 599), st.text(max_size=400))
def test_every_reply_has_a_short_reason_on_one_line(phase: Phase, code: int, text: str) -> None:
    found = judge(phase, code, text)
    assert len(found.reason) <= 300
    assert "\n" not in found.reason
    if 400 <= code < 500 and "5." not in text:
        assert found.again
