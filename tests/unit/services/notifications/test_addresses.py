"""One mailbox has one spelling, and nothing that could break a header or a command passes as an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.addresses import MAILBOX, MAX_ADDRESS, normalised


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("  ann@example.org ", "ann@example.org"),
        ("o'brien+news@mail.example", "o'brien+news@mail.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_mailbox_become_one(given_as: str, kept_as: str) -> None:
    assert normalised(given_as) == kept_as


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@localhost",
        "a b@example.org",
        "a@b@example.org",
        ".ann@example.org",
        "ann..lee@example.org",
        "ann@-example.org",
        "ann@example..org",
        "ann@[127.0.0.1]",
        '"ann"@example.org',
        "ann@example.org>\r\nRCPT TO:<b@example.org",
        "änn@example.org",
        f"{'a' * 65}@example.org",
        f"ann@{'a' * 64}.org",
        f"ann@{'.'.join(['a' * 60] * 5)}.org",
    ],
)
def test_what_no_relay_could_carry_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        normalised(wrong)


@given(st.text(max_size=300))
def test_any_text_is_refused_or_becomes_a_safe_mailbox(text: str) -> None:
    try:
        kept = normalised(text)
    except ValueError:
        return
    assert MAILBOX.fullmatch(kept)
    assert kept.isascii()
    assert len(kept) <= MAX_ADDRESS
    assert not set(kept) & set(' \r\n\t<>,;:"')
    assert normalised(kept) == kept


@given(
    st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,10})?", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,20}\.[a-z]{2,6}", fullmatch=True),
)
def test_ordinary_addresses_pass_in_any_case(local: str, domain: str) -> None:
    assert normalised(f"{local.upper()}@{domain.title()}") == f"{local}@{domain}"
