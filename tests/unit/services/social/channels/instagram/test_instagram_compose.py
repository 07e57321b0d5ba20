"""The Instagram caption for an article: what it says, which picture it takes, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.instagram import fake_rules as rules
from services.social.channels.instagram.compose import (
    Comment,
    Frozen,
    best_rendition,
    compose,
    compose_correction,
    fit,
    length,
)
from services.social.channels.instagram.settings import InstagramSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = InstagramSettings(user_id="42", access_token=SecretStr("t0ken"))
URL = "https://news.example/budget"
PIECES = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(min_codepoint=0x590, max_codepoint=0x6FF), max_size=60),
    st.text(st.sampled_from("#@＃a1é /:.\u0301"), max_size=40),
    st.sampled_from(["👨‍👩‍👧‍👦" * 60, URL, "HTTPS://a.org/#b", "#Budget", "@a.b", "🇩🇪" * 90]),
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join)


def rendition(
    name: str,
    width: int = 800,
    height: int = 450,
    size: int = 1000,
    kind: str = "image/jpeg",
) -> Rendition:
    url = f"https://news.example/media/{name}.jpg"
    return Rendition(name=name, url=url, width=width, height=height, media_type=kind, size=size)


def lead(*renditions: Rendition, alt: str = "The town hall") -> LeadImage:
    return LeadImage(media_id="m", alt=alt, renditions=renditions)


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": URL,
        "headline": "Council passes the budget",
        "standfirst": "Schools get more, roads get less.",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "tags": ("local politics", "Budget"),
        "language": "en-GB",
        "lead_image": lead(rendition("w800")),
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(*texts: str, **changed: Any) -> Article:
    notices = tuple(Correction(at=NOW, kind="correction", text=text) for text in texts)
    return article(corrections=notices, **changed)


def frozen(story: Article, account: InstagramSettings = ACCOUNT) -> Frozen:
    return compose(story, key="k", now=NOW, settings=account)


def comment(story: Article, told: int = 0, account: InstagramSettings = ACCOUNT) -> str:
    made = compose_correction(story, media_id="7", now=NOW, settings=account, told=told)
    assert Comment.model_validate(made.model_dump(mode="json")) == made
    return made.comment


def test_headline_standfirst_bare_address_and_hashtags() -> None:
    made = frozen(article())
    assert made.caption == (
        "Council passes the budget\n\nSchools get more, roads get less.\n\n"
        f"{URL}\n\n#LocalPolitics #Budget"
    )
    assert (made.image_url, made.alt) == ("https://news.example/media/w800.jpg", "The town hall")
    assert Frozen.model_validate(made.model_dump(mode="json")) == made
    assert "t0ken" not in repr(ACCOUNT) + made.model_dump_json()


def test_editors_own_words_win_and_a_placed_address_is_not_repeated() -> None:
    words = {"instagram": f"More at {URL}. #budget", "bluesky": "no"}
    assert frozen(article(social=words)).caption == f"More at {URL}. #budget\n\n#LocalPolitics"


def test_a_later_publication_has_an_address_of_its_own() -> None:
    again = f"{URL}?utm_content=2"
    assert again in frozen(article(publication=2)).caption
    words = {"instagram": f"See {URL}"}
    assert frozen(article(publication=2, social=words, tags=())).caption == f"See {again}"


def test_right_to_left_text_keeps_its_order() -> None:
    story = article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",))
    assert frozen(story).caption == f"المجلس يقر الميزانية\n\n{URL}\n\n#ميزانية"


def test_hashtags_of_the_editor_and_ours_share_one_limit() -> None:
    account = ACCOUNT.model_copy(update={"hashtags": 2})
    tags = ("Budget", "Roads")
    assert frozen(article(social={"instagram": "It is #done"}, tags=tags), account).caption == (
        f"It is #done\n\n{URL}\n\n#Budget"
    )
    many = article(social={"instagram": "#a #b #c #d https://a.org/#e"}, tags=tags)
    assert frozen(many, account).caption.startswith("#a #b c d https://a.org/#e")
    none = ACCOUNT.model_copy(update={"hashtags": 0})
    assert frozen(many, none).caption.startswith("a b c d https://a.org/#e")


def test_mentions_beyond_twenty_lose_their_sign() -> None:
    words = " ".join(f"@a{number}" for number in range(22))
    caption = frozen(article(social={"instagram": words})).caption
    assert "@a19 a20 a21" in caption
    assert rules.mentions(caption) == 20


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    caption = frozen(article(social={"instagram": "word " * 500 + URL}, tags=())).caption
    assert caption.endswith(f"…\n\n{URL}")
    assert rules.counted(caption) <= 2200


def test_an_address_longer_than_a_caption_is_given_up() -> None:
    with pytest.raises(GiveUp, match="address alone"):
        frozen(article(url="https://news.example/" + "a" * 2200))


def test_alt_text_is_cut_to_its_limit() -> None:
    made = frozen(article(lead_image=lead(rendition("one"), alt="word " * 400)))
    assert length(made.alt) <= 1000
    assert made.alt.endswith("…")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "no lead image"),
        (lead(), "what Instagram takes, a JPEG"),
        (lead(rendition("png", kind="image/png")), "what Instagram takes, a JPEG"),
    ],
)
def test_an_article_without_a_suitable_picture_is_given_up(
    image: LeadImage | None, reason: str
) -> None:
    with pytest.raises(GiveUp, match=reason):
        frozen(article(lead_image=image))


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("w1600", 1600, 900), rendition("w800"), rendition("w400", 400, 225)], "w800"),
        ([rendition("wide", 1440, 754), rendition("w800")], "wide"),
        ([rendition("heavy", 1200, 800, 8_000_001), rendition("w800")], "w800"),
        ([rendition("flat", 1000, 500)], None),
        ([rendition("flattest", 955, 500)], "flattest"),
        ([rendition("tall", 400, 501)], None),
        ([rendition("tallest", 400, 500)], "tallest"),
        ([rendition("narrow", 319, 319)], None),
        ([rendition("webp", kind="image/webp")], None),
    ],
)
def test_best_rendition_is_the_widest_that_is_taken(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(lead(*renditions))
    assert (best.name if best else None) == chosen


def test_a_correction_is_a_comment_with_the_address() -> None:
    said = comment(corrected("It is 4 million, not 40."))
    assert said == f"Correction: It is 4 million, not 40.\n\n{URL}"


def test_a_comment_carries_what_was_not_told_yet_the_newest_first() -> None:
    story = corrected("First.", "Second.", "Third.")
    assert comment(story, told=1) == f"Correction: Third.\n\nCorrection: Second.\n\n{URL}"
    assert comment(story, told=3) == f"Correction: Council passes the budget\n\n{URL}"


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    said = comment(article(corrections=(notice,)), account=account)
    assert said.startswith("Klarstellung: Gemeint ist 2027.")


def test_a_long_address_is_left_out_of_a_comment() -> None:
    assert "http" not in comment(corrected("No.", url="https://news.example/" + "a" * 200))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "herald"),
        ("version", "25"),
        ("server", "a.b"),
        ("corrections", "edit"),
        ("hashtags", 31),
    ],
)
def test_settings_name_what_is_wrong(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        InstagramSettings.model_validate({"user_id": "1", "access_token": "t", field: value})


def test_a_number_from_the_command_line_is_taken_as_its_digits() -> None:
    given: dict[str, Any] = {"user_id": 17841400000000001, "access_token": "t"}
    assert InstagramSettings.model_validate(given).user_id == "17841400000000001"


@settings(max_examples=200, deadline=None)
@given(
    TEXTS,
    st.lists(st.text(max_size=30), max_size=9),
    st.integers(0, 30),
    st.sampled_from([1, 8]),
    st.booleans(),
)
@example("¼#", [], 0, 8, False)
def test_the_network_takes_every_caption(
    words: str, tags: list[str], hashtags: int, times: int, override: bool
) -> None:
    own = {"social": {"instagram": words * times}} if override else {"headline": words * times}
    account = ACCOUNT.model_copy(update={"hashtags": hashtags})
    made = frozen(article(tags=tuple(tags), **own), account)
    sent = {"image_url": made.image_url, "caption": made.caption, "alt_text": made.alt}
    assert rules.checked_container(sent, hashtags) == (made.image_url, made.caption, made.alt)
    assert URL in made.caption


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS.filter(str.strip), max_size=3), st.integers(0, 3))
def test_the_network_takes_every_comment(texts: list[str], told: int) -> None:
    said = comment(corrected(*texts), told=told)
    assert rules.checked_comment({"message": said}) == said
    assert said.endswith(URL)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 150))
def test_fitted_text_is_within_the_limit_and_cut_between_graphemes(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert rules.counted(fitted) == length(fitted) <= limit
    if fitted == text or not fitted:
        return
    kept = fitted.removesuffix("…")
    bounds = {0} | {found.end() for found in regex.finditer(r"\X", text)}
    # The space before the ellipsis is ours, or, after an Arabic number sign, part of a grapheme.
    assert any(
        text.startswith(part) and len(part) in bounds for part in (kept, kept.removesuffix(" "))
    )
