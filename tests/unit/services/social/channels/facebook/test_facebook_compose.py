"""The post of a Page for an article: what it says, what an edit keeps, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.facebook.compose import (
    LIMIT,
    Frozen,
    Image,
    Remembered,
    best_rendition,
    compose,
    described,
    fit,
    length,
)
from services.social.channels.facebook.fake_rules import counted
from services.social.channels.facebook.settings import FacebookSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = FacebookSettings(page_id="42", access_token=SecretStr("t0ken"))
LINK = "https://news.example/budget?utm_source=facebook&utm_medium=social"
IMAGE = Image(
    url="https://news.example/a.jpg",
    sha256="aa",
    size=10,
    media_type="image/jpeg",
    alt="The town hall",
)
PIECES = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(min_codepoint=0x590, max_codepoint=0x6FF), max_size=60),
    st.sampled_from(["👨‍👩‍👧‍👦" * 60, "https://news.example/budget", "#Budget", "@a.b", "🇩🇪" * 90]),
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join)


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the budget",
        "standfirst": "Schools get more, roads get less.",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "tags": ("local politics", "Budget"),
        "language": "en-GB",
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(text: str, **changed: Any) -> Article:
    return article(corrections=(Correction(at=NOW, kind="correction", text=text),), **changed)


def frozen(story: Article, account: FacebookSettings = ACCOUNT, **more: Any) -> Frozen:
    made = compose(story, **{"now": NOW, "settings": account, **more})
    assert made is not None
    return made


def test_with_a_card_the_link_is_not_in_the_text() -> None:
    made = frozen(article())
    assert made.message == (
        "Council passes the budget\n\nSchools get more, roads get less.\n\n#LocalPolitics #Budget"
    )
    assert (made.link, made.link_in_text, made.image) == (LINK, False, None)


def test_with_a_picture_the_link_is_in_the_text() -> None:
    made = frozen(article(tags=()), image=IMAGE)
    assert made.message.endswith(f"roads get less.\n\n{LINK}")
    assert (made.link_in_text, made.image) == (True, IMAGE)


def test_editors_own_words_win_and_a_placed_address_is_tracked_and_not_repeated() -> None:
    words = {"facebook": "See https://news.example/budget. #budget", "bluesky": "no"}
    made = frozen(article(social=words), image=IMAGE)
    assert made.message == f"See {LINK}. #budget\n\n#LocalPolitics"


def test_a_later_publication_has_a_link_of_its_own() -> None:
    assert frozen(article(publication=2)).link == f"{LINK}&utm_content=2"


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    story = article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",))
    made = frozen(story, image=IMAGE)
    assert made.message == f"المجلس يقر الميزانية\n\n{LINK}\n\n#ميزانية"


def test_number_of_hashtags_is_the_accounts_choice() -> None:
    assert "#" not in frozen(article(), ACCOUNT.model_copy(update={"hashtags": 0})).message


def test_correction_is_said_first_and_stays() -> None:
    story = corrected("It is 4 million, not 40.")
    made = frozen(story, before=Remembered(), correction=True)
    assert made.message.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    before = Remembered.model_validate(made.remembered("7"))
    later = frozen(story.model_copy(update={"headline": "Other"}), before=before)
    assert later.message.startswith("Correction: It is 4 million, not 40.\n\nOther")
    assert compose(story, now=NOW, settings=ACCOUNT, before=before) is None


@pytest.mark.parametrize("link_in_text", [True, False])
def test_an_edit_leaves_the_link_where_it_is(link_in_text: bool) -> None:
    other = ACCOUNT.model_copy(update={"media": "card" if link_in_text else "image"})
    before = Remembered(message="x", link_in_text=link_in_text)
    made = frozen(article(), other, before=before)
    assert (LINK in made.message, made.link_in_text) == (link_in_text, link_in_text)


@pytest.mark.parametrize("media", ["card", "image"])
def test_an_edit_of_a_post_known_only_by_hand_follows_the_account(media: str) -> None:
    account = ACCOUNT.model_copy(update={"media": media})
    made = frozen(article(), account, before=Remembered(), correction=True)
    assert (LINK in made.message) is (media == "image")


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    made = frozen(article(corrections=(notice,)), account, before=Remembered(), correction=True)
    assert made.message.startswith("Klarstellung: Gemeint ist 2027.")


def test_long_correction_and_long_text_share_the_room() -> None:
    story = corrected("wrong " * 9000, social={"facebook": "words " * 19_000})
    made = frozen(story, image=IMAGE, before=Remembered(link_in_text=True), correction=True)
    notice, body, link = made.message.split("\n\n")[:3]
    assert (notice[-1], body[-1], body[:5], link) == ("…", "…", "words", LINK)
    assert counted(made.message) <= LIMIT


def test_minor_edit_without_visible_change_is_nothing_to_do() -> None:
    before = Remembered.model_validate(frozen(article()).remembered(None))
    assert compose(article(body="other"), now=NOW, settings=ACCOUNT, before=before) is None


def test_payload_is_json_and_comes_back_equal_without_the_token() -> None:
    made = frozen(article(), image=IMAGE)
    assert Frozen.model_validate(made.model_dump(mode="json")) == made
    assert "t0ken" not in repr(ACCOUNT) + made.model_dump_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [("page_id", "herald"), ("version", "25"), ("server", "a.b"), ("media", "video")],
)
def test_settings_name_what_is_wrong(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        FacebookSettings.model_validate({"page_id": "1", "access_token": "t", field: value})


def test_a_number_from_the_command_line_is_taken_as_its_digits() -> None:
    given: dict[str, Any] = {"page_id": 17841400000000001, "access_token": "t"}
    assert FacebookSettings.model_validate(given).page_id == "17841400000000001"


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans())
def test_the_network_takes_every_post(
    words: str, notice: str, tags: list[str], pictured: bool
) -> None:
    _taken(corrected(notice, tags=tuple(tags), social={"facebook": words}), pictured)


@settings(max_examples=5, deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_the_network_takes_the_longest_of_posts(words: str, notice: str, pictured: bool) -> None:
    _taken(corrected(notice * 100, social={"facebook": words * 100}), pictured)


def _taken(story: Article, pictured: bool) -> None:
    before = Remembered(message="x", link_in_text=pictured)
    made = frozen(story, before=before, correction=True)
    assert counted(made.message) <= LIMIT
    assert made.message == made.message.strip()
    if pictured:
        assert LINK in made.message


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 150))
def test_fitted_text_is_within_the_limit_and_cut_between_graphemes(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert counted(fitted) == length(fitted) <= limit
    if fitted == text or not fitted:
        return
    kept = fitted.removesuffix("…")
    bounds = {0} | {found.end() for found in regex.finditer(r"\X", text)}
    # The space before the ellipsis is ours, or, after an Arabic number sign, part of a grapheme.
    assert any(
        text.startswith(part) and len(part) in bounds for part in (kept, kept.removesuffix(" "))
    )


def rendition(name: str, width: int, size: int = 1000, kind: str = "image/jpeg") -> Rendition:
    url = f"https://news.example/{name}"
    return Rendition(name=name, url=url, width=width, height=width // 2, media_type=kind, size=size)


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("huge", 4000), rendition("w1600", 1600), rendition("w800", 800)], "w1600"),
        ([rendition("huge", 4000), rendition("big", 3000)], "big"),
        ([rendition("heavy", 1600, 4_000_001), rendition("w800", 800)], "w800"),
        ([rendition("webp", 1600, kind="image/webp"), rendition("w400", 400)], "w400"),
        ([rendition("heavy", 1600, 4_000_001)], None),
        ([], None),
    ],
)
def test_best_rendition_is_the_widest_that_is_taken_and_shown(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen


def test_the_picture_is_fixed_by_the_hash_of_its_bytes() -> None:
    made = described(LeadImage(media_id="m", alt=" Hall\x00 "), rendition("one", 800), b"bytes")
    assert (made.size, len(made.sha256), made.alt) == (5, 64, "Hall")
