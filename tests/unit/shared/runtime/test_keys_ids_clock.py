"""Keys, ids and clocks: one secret opens many doors apart, ids sort by time, time stands still when asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.clock import ManualClock, SystemClock, elapsed_ms
from shared.runtime.ids import is_id, new_id, new_token
from shared.runtime.keys import KeyRing

RING = KeyRing("k" * 40)
PARTS = st.lists(st.text(max_size=8), min_size=1, max_size=4)


def test_each_purpose_has_its_own_key_and_it_is_always_the_same() -> None:
    assert RING.derive("identity") == KeyRing("k" * 40).derive("identity")
    assert (
        len({RING.derive("identity"), RING.derive("vault"), KeyRing("x" * 40).derive("vault")}) == 3
    )
    assert len(RING.derive("identity")) == 32


@given(PARTS, PARTS)
def test_a_signature_fits_its_parts_and_no_others(one: list[str], other: list[str]) -> None:
    signature = RING.sign("unsubscribe", *one)
    assert RING.verify("unsubscribe", signature, *one)
    assert not RING.verify("confirm", signature, *one)
    assert RING.verify("unsubscribe", signature, *other) == (one == other)
    assert set(signature) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_borders_of_the_parts_are_signed_too() -> None:
    signature = RING.sign("p", "a\x00b")
    assert not RING.verify("p", signature, "a", "b")
    assert not RING.verify("p", RING.sign("p", "ab", "c"), "a", "bc")


@pytest.mark.parametrize("forged", ["", "ü", "\udcff", "A" * 22, "A" * 5000])
def test_a_forged_signature_is_refused_whatever_it_is_made_of(forged: str) -> None:
    assert not RING.verify("p", forged, "a")


def test_a_vault_opens_only_with_its_own_key_and_only_unchanged() -> None:
    sealed = RING.vault("accounts").seal({"token": "äöü", "n": 1})
    assert RING.vault("accounts").open(sealed) == {"token": "äöü", "n": 1}
    assert b"token" not in sealed
    for vault, content in (
        (KeyRing("x" * 40).vault("accounts"), sealed),
        (RING.vault("other"), sealed),
        (RING.vault("accounts"), sealed[:-2] + b"AA"),
        (RING.vault("accounts"), b""),
    ):
        with pytest.raises(ValueError, match="HERALD_SECRET_KEY"):
            vault.open(content)


def test_ids_are_uuid7_unique_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(500)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 500
    assert all(is_id(id) and id[14] == "7" for id in ids)
    assert len({new_token() for _ in range(50)}) == 50


@given(st.text(max_size=40))
def test_no_text_but_an_id_is_an_id(text: str) -> None:
    assert is_id(text) is False


@pytest.mark.parametrize(
    "change", [str.upper, lambda id: f"{{{id}}}", lambda id: id.replace("-", "")]
)
def test_other_spellings_of_an_id_are_no_id(change: object) -> None:
    assert callable(change)
    assert not is_id(change("019ab000-0000-7000-8000-00000000000a"))


async def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    start = clock.now()
    await asyncio.sleep(0.01)
    assert clock.now() == start
    clock.advance(1.5)
    await clock.sleep(60)
    assert elapsed_ms(start, clock.now()) == 61_500


async def test_the_system_clock_is_utc_in_milliseconds() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert before.utcoffset() == timedelta(0)
    assert before.microsecond % 1000 == 0
    assert 9 <= elapsed_ms(before, clock.now()) < 2000
