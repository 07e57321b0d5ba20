"""Pictures are read at our own media addresses and nowhere else, whatever a snapshot says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.errors import GiveUp
from shared.delivery.own_origin import OwnOrigin

PUBLIC, INSIDE = "https://news.example", "http://caddy"


class Asked(Exception):
    """Raised with the address that would have been asked."""


class Session:
    def get(self, url: str, **_: Any) -> Any:
        raise Asked(url)


def origin() -> OwnOrigin:
    return OwnOrigin(lambda: Session(), public_url=PUBLIC, origin=INSIDE)  # type: ignore[arg-type, return-value]


async def test_our_own_media_is_asked_for_inside() -> None:
    with pytest.raises(Asked) as asked:
        await origin().rendition(f"{PUBLIC}/media/{'a' * 32}/w1600.jpg")
    assert str(asked.value) == f"{INSIDE}/media/{'a' * 32}/w1600.jpg"


HOSTILE = [
    "http://169.254.169.254/media/a/b.jpg",
    "@evil.example/media/a/b.jpg",
    ".evil.example/media/a/b.jpg",
    "/media/a/b.jpg",
    f"{PUBLIC}@evil.example/media/a/b.jpg",
    f"{PUBLIC}.evil.example/media/a/b.jpg",
    f"{PUBLIC}/media/../api/v1/users",
    f"{PUBLIC}/media/a/b.jpg?x=1",
    f"{PUBLIC}/media/a/b.jpg\n",
    f"{PUBLIC}/api/v1/users",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
async def test_any_other_address_is_never_asked(url: str) -> None:
    with pytest.raises(GiveUp):
        await origin().rendition(url)


@given(tail=st.text(max_size=40))
async def test_no_text_leads_away_from_our_media(tail: str) -> None:
    for url in (tail, PUBLIC + tail):
        with pytest.raises((GiveUp, Asked)) as refused:
            await origin().rendition(url)
        if refused.type is Asked:
            assert str(refused.value).startswith(f"{INSIDE}/media/")
            assert ".." not in tail
