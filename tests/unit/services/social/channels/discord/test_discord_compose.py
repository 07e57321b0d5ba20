"""The message for an article: what it says, what it keeps when edited, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.discord.compose import (
    Image,
    MessagePayload,
    Remembered,
    best_rendition,
    compose,
    described,
    fit,
    length,
)
from services.social.channels.discord.fake_rules import checked, rendered
from services.social.channels.discord.markdown import escaped
from services.social.channels.discord.settings import DiscordSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CARD = DiscordSettings(webhook_id="1" * 18, webhook_token=SecretStr("t0ken"))
PLAIN = CARD.model_copy(update={"media": "image"})
LINK = "https://news.example/budget?utm_source=discord&utm_medium=social"
IMAGE = Image(
    url="https://news.example/media/a.jpg",
    sha256="aa",
    size=10,
    media_type="image/jpeg",
    alt="The town hall",
)
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="\\*_~`|<>[]()#-+.:@!&1a \n", max_size=80),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 90,
            "https://news.example/budget",
            "https://a.example/_x_*y*",
            "@everyone",
            "<@123>",
            "**bold**",
            "1. one",
            "> said",
            "-# small",
            "||spoiler||",
            "[a](https://b.example)",
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
        "tags": ("local politics",),
        "language": "en-GB",
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "published_at": NOW,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(text: str, **changed: Any) -> Article:
    return article(corrections=(Correction(at=NOW, kind="correction", text=text),), **changed)


def payload(story: Article, account: DiscordSettings = CARD, **more: Any) -> MessagePayload:
    made = compose(story, settings=account, **more)
    assert made is not None
    return made


def remembered(made: MessagePayload) -> Remembered:
    return Remembered.model_validate(made.remembered())


def test_the_card_says_it_all() -> None:
    made = payload(article())
    assert made.content == ""
    assert made.embed is not None
    assert made.embed.model_dump() == {
        "title": "Council passes the budget",
        "description": "Schools get more, roads get less.",
        "url": LINK,
        "timestamp": "2026-11-23T09:30:00+00:00",
    }
    assert made.text == "Council passes the budget\n\nSchools get more, roads get less."


def test_without_a_card_text_and_link_are_the_message() -> None:
    made = payload(article(), PLAIN)
    assert made.embed is None
    assert made.content == (
        f"Council passes the budget\n\nSchools get more, roads get less.\n\n<{LINK}>"
    )
    assert (made.length, made.limit) == (length(made.content), 2000)


def test_editors_own_words_stand_above_the_card_and_instead_of_the_text() -> None:
    story = article(social={"discord": "It is *done*", "mastodon": "no"})
    assert payload(story).content == "It is \\*done\\*"
    assert payload(story, PLAIN).content == f"It is \\*done\\*\n\n<{LINK}>"


def test_an_address_the_editor_placed_is_tracked_and_not_repeated() -> None:
    story = article(social={"discord": "See https://news.example/budget. Done."})
    assert payload(story, PLAIN).content == f"See <{LINK}>. Done."


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    words = "word " * 500 + "https://news.example/budget"
    made = payload(article(social={"discord": words}), PLAIN)
    assert made.content.endswith(f"…\n\n<{LINK}>")


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    made = payload(article(headline="المجلس يقر الميزانية", standfirst=""), PLAIN)
    assert made.content == f"المجلس يقر الميزانية\n\n<{LINK}>"


def test_the_part_nearest_to_its_limit_is_the_one_that_is_told() -> None:
    assert (payload(article(headline="x" * 200)).length, payload(article()).limit) == (200, 256)
    made = payload(article(social={"discord": "x" * 1990}))
    assert (made.length, made.limit) == (1990, 2000)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("*a* _b_ ~c~ `d` |e|", "\\*a\\* \\_b\\_ \\~c\\~ \\`d\\` \\|e\\|"),
        ("<@1> [a](b) \\", "\\<@1> \\[a](b) \\\\"),
        ("> a\n  - b\n# c\n12. d", "\\> a\n  \\- b\n\\# c\n12\\. d"),
        ("1.5 > 1 - a#b", "1\\.5 > 1 - a#b"),
        ("https://a.example/b_c_d*e* _f_", "https://a.example/b_c_d*e* \\_f\\_"),
    ],
)
def test_what_would_mean_something_is_escaped(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


@given(TEXTS)
def test_escaping_is_reversible_and_leaves_no_markup(text: str) -> None:
    shown = rendered(escaped(text))
    assert shown.text == text
    assert shown.markup == ()


def test_correction_stands_above_the_card() -> None:
    made = payload(corrected("It is 4 million, not 40."), before=Remembered(), correction=True)
    assert made.content == "Correction: It is 4 million, not 40."
    assert made.embed is not None
    plain = payload(corrected("It is 4."), PLAIN, before=Remembered(), correction=True)
    assert plain.content.startswith("Correction: It is 4.\n\nCouncil passes")


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = CARD.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    story = article(corrections=(Correction(at=NOW, kind="clarification", text="Gemeint."),))
    made = payload(story, account, before=Remembered(), correction=True)
    assert made.content == "Klarstellung: Gemeint."


def test_long_correction_and_long_text_share_the_room() -> None:
    story = corrected("wrong " * 500, social={"discord": "words " * 500})
    made = payload(story, PLAIN, before=Remembered(), correction=True)
    notice, body, link = made.content.split("\n\n")
    assert notice.startswith("Correction: wrong")
    assert body.startswith("words")
    assert (notice[-1], body[-1], link) == ("…", "…", f"<{LINK}>")
    assert 1900 < length(made.content) <= 2000


def test_notice_stays_in_later_minor_edits() -> None:
    story = corrected("It is 4 million.")
    before = remembered(payload(story, before=Remembered(), correction=True))
    made = payload(story.model_copy(update={"headline": "Other"}), before=before)
    assert made.content == "Correction: It is 4 million."


@pytest.mark.parametrize("account", [CARD, PLAIN])
def test_minor_edit_without_visible_change_is_nothing_to_do(account: DiscordSettings) -> None:
    before = remembered(payload(article(), account, image=IMAGE))
    story = article(body="changed", revision=2)
    assert compose(story, settings=account, image=IMAGE, before=before) is None


@pytest.mark.parametrize(
    ("story", "image"),
    [
        (article(headline="Other"), IMAGE),
        (article(standfirst="Other"), IMAGE),
        (article(), IMAGE.model_copy(update={"alt": "Other words"})),
        (article(), IMAGE.model_copy(update={"sha256": "bb"})),
        (article(), None),
    ],
)
def test_minor_edit_with_a_visible_change_is_made(story: Article, image: Image | None) -> None:
    before = remembered(payload(article(), image=IMAGE))
    assert payload(story, image=image, before=before)


def test_a_link_that_the_network_does_not_take_is_refused() -> None:
    with pytest.raises(GiveUp, match="2048 characters"):
        payload(article(url="https://news.example/" + "a" * 2020))
    with pytest.raises(GiveUp, match="2000 characters"):
        payload(article(url="https://news.example/" + "a" * 1950), PLAIN)


def test_payload_is_json_and_comes_back_equal() -> None:
    made = payload(article(), image=IMAGE)
    assert MessagePayload.model_validate(made.model_dump(mode="json")) == made


def test_token_is_in_no_representation() -> None:
    assert "t0ken" not in repr(CARD) + payload(article()).model_dump_json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_id": "hook"},
        {"webhook_id": "1"},
        {"server": "api.example"},
        {"more": 1},
        {"webhook_token": "a b"},
    ],
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DiscordSettings.model_validate({"webhook_id": "1" * 18, "webhook_token": "x", **wrong})


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.booleans(), st.booleans(), st.booleans())
def test_the_network_takes_every_message_and_shows_its_very_text(
    words: str, notice: str, override: bool, card: bool, correction: bool
) -> None:
    own = {"social": {"discord": words}} if override else {"headline": words, "standfirst": notice}
    before = Remembered(content="x") if correction else None
    made = payload(
        corrected(notice, **own), CARD if card else PLAIN, before=before, correction=correction
    )
    embeds = [made.embed.model_dump()] if made.embed else []
    form = checked({"content": made.content, "embeds": embeds}, [])
    texts = [form.content, *(embeds[0][name] for name in ("title", "description") if embeds)]
    shown = [rendered(text) for text in texts]
    assert not any(one.markup for one in shown)
    assert "\n\n".join(one.text for one in shown if one.text) == made.text
    assert LINK in (embeds[0]["url"] if embeds else shown[0].text)
    assert made.length <= made.limit


@given(TEXTS, st.integers(1, 200))
def test_a_cut_text_is_never_longer_than_the_network_counts(text: str, limit: int) -> None:
    result = fit(text, limit)
    assert len(escaped(result).encode("utf-16-le")) <= 2 * limit
    if length(escaped(text)) <= limit:
        assert result == text


def rendition(name: str, width: int, size: int = 1000, kind: str = "jpeg") -> Rendition:
    url = f"https://news.example/{name}"
    return Rendition(
        name=name, url=url, width=width, height=600, media_type=f"image/{kind}", size=size
    )


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("big", 6000), rendition("wide", 2000), rendition("small", 600)], "wide"),
        ([rendition("big", 6000), rendition("bigger", 7000)], "big"),
        ([rendition("heavy", 2000, 11 * 1024 * 1024), rendition("small", 600)], "small"),
        ([rendition("vector", 2000, kind="svg+xml")], None),
    ],
)
def test_best_rendition_is_the_largest_that_is_taken_and_shown(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen


def test_alt_is_cut_to_its_limit() -> None:
    one = rendition("one", 600)
    image = described(LeadImage(media_id="m", alt="word " * 400, renditions=(one,)), one, b"bytes")
    assert image.alt.endswith("…")
    assert (len(image.alt) <= 1024, image.size, image.filename) == (True, 5, "lead.jpeg")
