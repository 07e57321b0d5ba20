"""The message for an article: what it says, what it keeps when edited, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.telegram.compose import (
    MessagePayload,
    Photo,
    Remembered,
    best_rendition,
    compose,
    fit,
    length,
)
from services.social.channels.telegram.fake_rules import CAPTION_UNITS, TEXT_UNITS, parsed
from services.social.channels.telegram.settings import TelegramSettings
from services.social.channels.telegram.wording import escaped
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = TelegramSettings(token=SecretStr("1:t0ken"), chat="@news_example")
LINK = "https://news.example/budget?utm_source=telegram&utm_medium=social"
PHOTO = Photo(url="https://news.example/media/a.jpg", sha256="aa", size=10, media_type="image/jpeg")
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="<>&;#ablt/ ", max_size=60),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 90,
            "https://news.example/budget",
            "<b>bold</b>",
            "&amp;",
            "#Budget",
            "word " * 300,
        ]
    ),
)
TEXTS = st.lists(WORDS, max_size=10).map(" ".join)


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


def payload(story: Article, account: TelegramSettings = ACCOUNT, **more: Any) -> MessagePayload:
    made = compose(story, settings=account, **more)
    assert made is not None
    return made


def remembered(made: MessagePayload) -> Remembered:
    return Remembered.model_validate(made.remembered("@news_example", -100))


def test_headline_in_bold_standfirst_link_and_hashtags() -> None:
    made = payload(article())
    assert made.text == (
        "Council passes the budget\n\nSchools get more, roads get less.\n\n"
        f"{LINK}\n\n#LocalPolitics #Budget"
    )
    assert made.html == (
        "<b>Council passes the budget</b>\n\nSchools get more, roads get less.\n\n"
        f"{LINK.replace('&', '&amp;')}\n\n#LocalPolitics #Budget"
    )
    assert (made.kind, made.limit) == ("text", 4096)


def test_markup_in_an_article_is_only_text() -> None:
    made = payload(article(headline="1 < 2 & <b>3</b>", standfirst="&lt;", tags=()))
    assert made.html.startswith("<b>1 &lt; 2 &amp; &lt;b&gt;3&lt;/b&gt;</b>\n\n&amp;lt;\n\n")
    assert parsed(made.html, "HTML", 4096, "text").text == made.text


def test_editors_own_words_win_and_are_not_bold() -> None:
    made = payload(article(social={"telegram": "It is done #Budget", "mastodon": "no"}))
    assert made.text == f"It is done #Budget\n\n{LINK}\n\n#LocalPolitics"
    assert "<b>" not in made.html


def test_an_address_the_editor_placed_is_tracked_and_not_repeated() -> None:
    made = payload(article(social={"telegram": "See https://news.example/budget. Done."}, tags=()))
    assert made.text == f"See {LINK}. Done."


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    words = "word " * 1000 + "https://news.example/budget"
    made = payload(article(social={"telegram": words}, tags=()))
    assert made.text.endswith(f"…\n\n{LINK}")
    assert length(made.text) <= 4096


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    made = payload(article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",)))
    assert made.text == f"المجلس يقر الميزانية\n\n{LINK}\n\n#ميزانية"


def test_a_caption_has_a_quarter_of_the_room() -> None:
    story = article(standfirst="A word and another. " * 300)
    text, caption = payload(story), payload(story, photo=PHOTO)
    assert 3900 < length(text.text) <= 4096
    assert 900 < length(caption.text) <= 1024
    assert (caption.kind, caption.photo, caption.sha256) == ("photo", PHOTO, "aa")


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    assert length("a🇩🇪") == 5
    assert fit("🇩🇪🇫🇷🇮🇹", 9) == "🇩🇪🇫🇷…"


def test_correction_is_said_first_and_the_headline_stays_bold() -> None:
    made = payload(corrected("It is 4 million, not 40."), before=Remembered(), correction=True)
    assert made.html.startswith(
        "Correction: It is 4 million, not 40.\n\n<b>Council passes the budget</b>\n\nSchools"
    )


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    story = article(corrections=(Correction(at=NOW, kind="clarification", text="Gemeint."),))
    made = payload(story, account, before=Remembered(), correction=True)
    assert made.text.startswith("Klarstellung: Gemeint.")


def test_notice_stays_in_later_minor_edits() -> None:
    story = corrected("It is 4 million.")
    before = remembered(payload(story, before=Remembered(), correction=True))
    made = payload(story.model_copy(update={"headline": "Other"}), before=before)
    assert made.text.startswith("Correction: It is 4 million.\n\nOther")


def test_first_post_after_a_correction_carries_no_notice() -> None:
    assert "Correction" not in payload(corrected("It is 4 million.")).text


def test_minor_edit_without_visible_change_is_nothing_to_do() -> None:
    for photo in (PHOTO, None):
        before = remembered(payload(article(), photo=photo))
        story = article(body="changed", revision=2)
        assert compose(story, settings=ACCOUNT, photo=photo, before=before) is None


def test_the_photo_on_the_network_is_not_sent_again() -> None:
    before = remembered(payload(article(), photo=PHOTO))
    made = payload(article(headline="Other"), photo=PHOTO, before=before)
    assert (made.kind, made.photo, made.sha256) == ("caption", None, "aa")


def test_another_photo_takes_the_place_of_the_first() -> None:
    before = remembered(payload(article(), photo=PHOTO))
    other = PHOTO.model_copy(update={"sha256": "bb"})
    made = payload(article(), photo=other, before=before)
    assert (made.kind, made.photo, made.sha256) == ("photo", other, "bb")


def test_a_photo_stays_although_the_article_lost_it() -> None:
    before = remembered(payload(article(), photo=PHOTO))
    made = payload(article(headline="Other"), before=before)
    assert (made.kind, made.sha256, made.limit) == ("caption", "aa", 1024)


def test_a_text_stays_a_text_although_the_article_has_a_photo_now() -> None:
    before = remembered(payload(article()))
    made = payload(article(headline="Other"), photo=PHOTO, before=before)
    assert (made.kind, made.photo, made.sha256) == ("text", None, None)


def test_an_address_longer_than_a_caption_is_refused() -> None:
    with pytest.raises(GiveUp, match="1024 characters"):
        payload(article(url="https://news.example/" + "a" * 1000), photo=PHOTO)


def test_payload_is_json_and_comes_back_equal() -> None:
    made = payload(article(), photo=PHOTO)
    assert MessagePayload.model_validate(made.model_dump(mode="json")) == made


@pytest.mark.parametrize("chat", ["@news_example", "-1001234567890", "42"])
def test_a_chat_is_a_name_or_a_number(chat: str) -> None:
    assert ACCOUNT.model_validate({"token": "1:x", "chat": chat}).chat == chat


@pytest.mark.parametrize(
    "wrong",
    [
        {"chat": "news"},
        {"chat": "@a"},
        {"chat": "-"},
        {"server": "api.example"},
        {"unknown": 1},
        {"token": "1:a/b"},
    ],
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TelegramSettings.model_validate({"token": "1:x", "chat": "@news_example", **wrong})


def test_token_is_in_no_representation() -> None:
    assert "t0ken" not in repr(ACCOUNT) + payload(article()).model_dump_json()


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans(), st.booleans())
def test_the_network_takes_every_message_and_shows_its_very_text(
    words: str, notice: str, tags: list[str], override: bool, pictured: bool
) -> None:
    own = {"social": {"telegram": words}} if override else {"headline": words, "standfirst": notice}
    story = corrected(notice, tags=tuple(tags), **own)
    before = Remembered(html="x", sha256="bb" if pictured else None)
    made = payload(story, before=before, correction=True)
    limit = CAPTION_UNITS if pictured else TEXT_UNITS
    shown = parsed(made.html, "HTML", limit, "text")
    # The network drops some marks that nobody sees; everything else arrives as it was composed.
    assert shown.text == parsed(made.text, None, limit, "text").text
    assert LINK in shown.text
    assert length(made.text) <= made.limit == limit


@given(st.text())
def test_escaping_is_reversible_and_leaves_no_markup(text: str) -> None:
    body = f"x{text}x"
    shown = parsed(escaped(body), "HTML", 10**6, "text")
    assert shown == parsed(body, None, 10**6, "text")


@given(TEXTS, st.integers(1, 200))
def test_a_cut_text_is_never_longer_than_the_network_counts(text: str, limit: int) -> None:
    result = fit(text, limit)
    assert len(result.encode("utf-16-le")) <= 2 * limit
    if length(text) <= limit:
        assert result == text


def rendition(
    name: str, width: int, height: int = 600, size: int = 1000, kind: str = "jpeg"
) -> Rendition:
    return Rendition(
        name=name,
        url=f"https://news.example/{name}",
        width=width,
        height=height,
        media_type=f"image/{kind}",
        size=size,
    )


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("big", 6000), rendition("wide", 2400), rendition("small", 600)], "wide"),
        ([rendition("big", 6000), rendition("bigger", 7000)], "big"),
        ([rendition("heavy", 2000, size=11 * 1024 * 1024), rendition("small", 600)], "small"),
        ([rendition("vector", 2000, kind="svg+xml"), rendition("small", 600)], "small"),
        ([rendition("panorama", 2100, height=100)], None),
        ([rendition("giant", 9500)], None),
        ([], None),
    ],
)
def test_best_rendition_is_the_largest_that_is_taken_and_shown(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen
