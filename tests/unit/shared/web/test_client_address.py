"""Who is calling is what our own proxy saw, never what the caller wrote."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from shared.web.requests import client_address


@pytest.mark.parametrize(
    ("header", "proxies", "address"),
    [
        ("198.51.100.7", 1, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7, 10.0.0.2", 2, "198.51.100.7"),
        ("198.51.100.7", 0, ""),
        ("198.51.100.7", 2, ""),
        ("", 1, ""),
    ],
)
def test_only_our_own_proxies_are_believed(header: str, proxies: int, address: str) -> None:
    request = make_mocked_request("POST", "/", headers={"X-Forwarded-For": header})
    request = request.clone(remote="")
    assert client_address(request, proxies) == address


def test_a_line_that_the_caller_wrote_comes_before_the_line_of_a_proxy_that_adds_its_own() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.7")])
    request = make_mocked_request("POST", "/", headers=headers)
    assert client_address(request, 1) == "198.51.100.7"
