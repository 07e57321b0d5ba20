"""Where a call came from: any header becomes something that can be stored, and a household counts as one."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.callers import AGENT_LENGTH, caller


@pytest.mark.parametrize(
    ("address", "shown", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", "unknown", "unknown"),
        ("\udcff", "unknown", "unknown"),
        ("not an address", "not an address", "not an address"),
    ],
)
def test_what_is_shown_and_what_is_counted(address: str, shown: str, network: str) -> None:
    found = caller(address, "")
    assert (found.address, found.network) == (shown, network)


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_can_be_stored(address: str, agent: str) -> None:
    found = caller(address, agent)
    for text in (found.address, found.network, found.agent):
        text.encode()
        assert "\x00" not in text
    assert 0 < len(found.network) <= 64
    assert len(found.agent) <= AGENT_LENGTH


@given(st.ip_addresses(v=6))
def test_neighbours_within_a_household_are_one(address: ipaddress.IPv6Address) -> None:
    low = int(address) & ~0xFFFF
    one, other = (caller(str(ipaddress.IPv6Address(low + n)), "") for n in (1, 2))
    if ipaddress.IPv6Address(low + 1).ipv4_mapped is None:
        assert one.network == other.network
