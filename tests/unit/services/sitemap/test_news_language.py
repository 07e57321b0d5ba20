"""The language code of a news entry: ISO 639, no region, two exceptions for Chinese."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sitemap.domain.language import news_language


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("pt-BR", "pt"),
        ("sr-Latn-RS", "sr"),
        ("gsw-CH", "gsw"),
        ("FR_ca", "fr"),
        ("zh", "zh-cn"),
        ("zh-CN", "zh-cn"),
        ("zh-Hans-HK", "zh-cn"),
        ("zh-TW", "zh-tw"),
        ("zh-Hant", "zh-tw"),
        ("zh-HK", "zh-tw"),
    ],
)
def test_code_of_a_tag(tag: str, code: str) -> None:
    assert news_language(tag) == code


def test_a_tag_without_an_iso_language_takes_the_publications() -> None:
    assert news_language("i-klingon", "de-AT") == "de"


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_answer_is_one_the_schema_takes(tag: str, otherwise: str) -> None:
    assert re.fullmatch("zh-cn|zh-tw|[a-z]{2,3}", news_language(tag, otherwise))
