"""The outbound guard: every spelling of a private address is refused before a byte leaves."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.outbound import Forbidden, OutboundPolicy, is_public

FORBIDDEN = [
    # loopback, in every notation that some resolver understands
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0177.0.0.01/",
    "https://017700000001/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://a.localhost/",
    "https://A.LOCALHOST/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::1%25lo]/",
    # everything and nothing
    "https://0.0.0.0/",
    "https://0/",
    "https://[::]/",
    "https://255.255.255.255/",
    # private, shared, link-local, multicast, documentation, reserved
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://203.0.113.1/",
    "https://192.0.0.170/",
    "https://192.0.0.8/",
    "https://192.88.99.1/",
    "https://[3fff::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    "https://[2001:db8::1]/",
    "https://[5f00::1]/",
    # IPv4 hidden inside IPv6
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a00:1::1]/",
    "https://[2001:0:7f00:1::]/",
    # names of the inside
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://mongod/",
    "https://example.com./",
    # userinfo and other ways to hide where it goes
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1%2f@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://exa mple.com/",
    "https://example.com/\r\nHost: x",
    " https://example.com/",
    # not https, not the usual port, not absolute
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "//example.com/",
    "https:example.com",
    "https:///etc",
    "https://",
    "example.com",
    "",
    "https://[::1",
    "https://[zz]/",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_it_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        OutboundPolicy().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "HTTPS://EXAMPLE.COM/hook?x=1#y",
        "https://example.com:443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://[::ffff:8.8.8.8]/",
        "https://bücher.example/",
        "https://example.com/user@host",
        "https://example.com?mail=a@b.example",
        "https://local.example.com/",
    ],
)
def test_a_public_address_passes(url: str) -> None:
    OutboundPolicy().check_url(url)


def test_plain_http_passes_only_where_the_caller_allows_it() -> None:
    OutboundPolicy(https_only=False).check_url("http://example.com/")
    with pytest.raises(Forbidden, match="https"):
        OutboundPolicy().check_url("http://example.com/")
    with pytest.raises(Forbidden):
        OutboundPolicy(https_only=False).check_url("http://127.0.0.1/")


def test_development_allows_a_private_host_by_its_exact_name_only() -> None:
    policy = OutboundPolicy(("localhost", "127.0.0.1"))
    policy.check_url("http://localhost:8080/")
    policy.check_url("http://127.0.0.1:9/")
    for url in ("http://127.0.0.2/", "https://a.localhost/", "ftp://localhost/", "https://127.1/"):
        with pytest.raises(Forbidden):
            policy.check_url(url)
    with pytest.raises(Forbidden, match="user name"):
        policy.check_url("http://x@localhost/")


def test_a_name_may_only_lead_to_a_public_address() -> None:
    policy = OutboundPolicy()
    policy.check_address("example.com", "93.184.215.14")
    for address in ("127.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "::ffff:127.0.0.1"):
        with pytest.raises(Forbidden, match=r"evil\.example"):
            policy.check_address("evil.example", address)
    OutboundPolicy(("mail.internal",)).check_address("mail.internal", "10.0.0.5")


PRIVATE = st.sampled_from(
    ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
).flatmap(
    lambda net: st.integers(0, ipaddress.ip_network(net).num_addresses - 1).map(
        lambda offset: int(ipaddress.ip_network(net).network_address) + offset
    )
)


@given(
    PRIVATE,
    st.sampled_from(["d", "x", "o", "dotted", "hex parts", "mapped", "compat", "6to4", "nat64"]),
)
def test_no_spelling_of_a_private_address_passes(number: int, spelling: str) -> None:
    dotted = str(ipaddress.IPv4Address(number))
    parts = dotted.split(".")
    host = {
        "d": str(number),
        "x": hex(number),
        "o": f"0{number:o}",
        "dotted": dotted,
        "hex parts": ".".join(hex(int(part)) for part in parts),
        "mapped": f"[::ffff:{dotted}]",
        "compat": f"[::{dotted}]",
        "6to4": f"[{ipaddress.IPv6Address((0x2002 << 112) | (number << 80))}]",
        "nat64": f"[64:ff9b::{dotted}]",
    }[spelling]
    with pytest.raises(Forbidden):
        OutboundPolicy(https_only=False).check_url(f"http://{host}/")


@given(st.text(max_size=30))
def test_no_text_makes_the_check_fail_otherwise(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://example.com/{text}"):
        try:
            OutboundPolicy().check_url(url)
        except Forbidden:
            continue


@pytest.mark.parametrize(
    ("address", "public"), [("1.1.1.1", True), ("2606:4700::1", True), ("240.0.0.1", False)]
)
def test_public_is_what_the_internet_routes(address: str, public: bool) -> None:
    assert is_public(address) is public
