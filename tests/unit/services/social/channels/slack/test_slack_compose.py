"""The message for an article: what it says, what it keeps when edited, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.plaintext import address
from services.social.channels.slack.compose import (
    Image,
    MessagePayload,
    Remembered,
    best_rendition,
    compose,
    fit,
    length,
    pictured,
)
from services.social.channels.slack.fake_rules import SECTION, UPDATE_TEXT, rendered
from services.social.channels.slack.mrkdwn import escaped
from services.social.channels.slack.settings import SlackSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
IMAGED = SlackSettings(token=SecretStr("xoxb-t0ken"), channel="C0123456789")
CARD = IMAGED.model_copy(update={"media": "card"})
LINK = "https://news.example/budget?utm_source=slack&utm_medium=social"
SENT_LINK = f"<{LINK.replace('&', '&amp;')}>"
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="<>&;|!@#:/ampltghs ", max_size=80),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 90,
            "https://news.example/budget",
            "https://a.example/?b=c&d|e",
            "<!channel>",
            "<@U1>",
            "&amp;",
            "<https://b.example|a>",
            "word " * 300,
            "& " * 900,
        ]
    ),
)
TEXTS = st.lists(WORDS, max_size=10).map(" ".join)


def rendition(name: str, width: int, kind: str = "jpeg") -> Rendition:
    return Rendition(
        name=name,
        url=f"https://news.example/{name}",
        width=width,
        height=600,
        media_type=f"image/{kind}",
        size=1000,
    )


LEAD = LeadImage(media_id="m", alt="The town hall", renditions=(rendition("a.jpg", 800),))


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
        "lead_image": LEAD,
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(text: str, **changed: Any) -> Article:
    return article(corrections=(Correction(at=NOW, kind="correction", text=text),), **changed)


def payload(story: Article, account: SlackSettings = IMAGED, **more: Any) -> MessagePayload:
    made = compose(story, now=NOW, settings=account, **more)
    assert made is not None
    return made


def remembered(made: MessagePayload) -> Remembered:
    return Remembered.model_validate(made.remembered("C0123456789"))


def test_headline_standfirst_link_and_image() -> None:
    made = payload(article())
    assert made.mrkdwn == (
        f"Council passes the budget\n\nSchools get more, roads get less.\n\n{SENT_LINK}"
    )
    assert made.text == (
        f"Council passes the budget\n\nSchools get more, roads get less.\n\n{LINK}"
    )
    assert made.image == Image(url="https://news.example/a.jpg", alt="The town hall")
    assert made.limit == 3000


def test_without_an_image_the_text_may_be_longer() -> None:
    made = payload(article(standfirst="A word and another. " * 300), CARD)
    assert (made.image, made.limit) == (None, 4000)
    assert 3900 < length(made.mrkdwn) <= 4000


def test_editors_own_words_win() -> None:
    made = payload(article(social={"slack": "It is *done* & dusted", "mastodon": "no"}))
    assert made.mrkdwn == f"It is *done* &amp; dusted\n\n{SENT_LINK}"


def test_an_address_the_editor_placed_is_tracked_and_not_repeated() -> None:
    made = payload(article(social={"slack": "See https://news.example/budget. Done."}))
    assert made.mrkdwn == f"See {SENT_LINK}. Done."


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    words = "word " * 800 + "https://news.example/budget"
    assert payload(article(social={"slack": words})).mrkdwn.endswith(f"…\n\n{SENT_LINK}")


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    made = payload(article(headline="المجلس يقر الميزانية", standfirst=""))
    assert made.mrkdwn == f"المجلس يقر الميزانية\n\n{SENT_LINK}"


@pytest.mark.parametrize(
    ("text", "mrkdwn"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("&lt;", "&amp;lt;"),
        ("(https://a.example/?b=1&c=2).", "(<https://a.example/?b=1&amp;c=2>)."),
        ("https://a.example/b|label", "<https://a.example/b>|label"),
        ("<https://a.example|b>", "&lt;<https://a.example>|b&gt;"),
    ],
)
def test_only_addresses_become_links_and_nothing_calls(text: str, mrkdwn: str) -> None:
    assert escaped(text) == mrkdwn


def test_unescaped_it_would_call_everybody() -> None:
    assert rendered("<!channel> <@U1>").called == ("!channel", "@U1")


@given(TEXTS)
def test_escaping_is_reversible_and_calls_nobody(text: str) -> None:
    shown = rendered(escaped(text))
    assert shown.text == text
    assert shown.called == ()


def test_a_later_publication_has_an_address_of_its_own() -> None:
    again = f"{LINK}&utm_content=2"
    assert not address(LINK).search(f"See {again}.")
    assert payload(article(publication=2)).link == again


def test_an_address_with_a_bar_stays_one_link() -> None:
    made = payload(article(url="https://news.example/a|b"))
    assert rendered(made.mrkdwn).links[-1] == made.link
    assert made.link.startswith("https://news.example/a%7Cb?")


def test_correction_is_said_first() -> None:
    made = payload(corrected("It is 4 million, not 40."), before=Remembered(), correction=True)
    assert made.mrkdwn.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = IMAGED.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    story = article(corrections=(Correction(at=NOW, kind="clarification", text="Gemeint."),))
    made = payload(story, account, before=Remembered(), correction=True)
    assert made.text.startswith("Klarstellung: Gemeint.")


def test_long_correction_and_long_text_share_the_room() -> None:
    story = corrected("wrong " * 800, social={"slack": "words " * 800})
    made = payload(story, before=Remembered(), correction=True)
    notice, body, link = made.mrkdwn.split("\n\n")
    assert notice.startswith("Correction: wrong")
    assert body.startswith("words")
    assert (notice[-1], body[-1], link) == ("…", "…", SENT_LINK)
    assert 2900 < length(made.mrkdwn) <= 3000


def test_notice_stays_in_later_minor_edits_and_not_in_first_posts() -> None:
    story = corrected("It is 4 million.")
    assert "Correction" not in payload(story).text
    before = remembered(payload(story, before=Remembered(), correction=True))
    made = payload(story.model_copy(update={"headline": "Other"}), before=before)
    assert made.text.startswith("Correction: It is 4 million.\n\nOther")


@pytest.mark.parametrize("account", [IMAGED, CARD])
def test_minor_edit_without_visible_change_is_nothing_to_do(account: SlackSettings) -> None:
    before = remembered(payload(article(), account))
    story = article(body="changed", revision=2)
    assert compose(story, now=NOW, settings=account, before=before) is None


@pytest.mark.parametrize(
    "story",
    [
        article(headline="Other"),
        article(lead_image=None),
        article(lead_image=LEAD.model_copy(update={"alt": "Other words"})),
        article(lead_image=LEAD.model_copy(update={"renditions": (rendition("b.jpg", 800),)})),
    ],
)
def test_minor_edit_with_a_visible_change_is_made(story: Article) -> None:
    assert payload(story, before=remembered(payload(article())))


def test_a_link_without_room_is_refused() -> None:
    with pytest.raises(GiveUp, match="3000 characters"):
        payload(article(url="https://news.example/" + "a" * 2980))


def test_payload_is_json_and_comes_back_equal() -> None:
    made = payload(article())
    assert MessagePayload.model_validate(made.model_dump(mode="json")) == made


def test_token_is_in_no_representation() -> None:
    assert "t0ken" not in repr(IMAGED) + payload(article()).model_dump_json()


@pytest.mark.parametrize(
    "wrong", [{"channel": "#general"}, {"channel": "U0123456789"}, {"server": "x"}, {"more": 1}]
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SlackSettings.model_validate({"token": "xoxb-1", "channel": "C0123456789", **wrong})


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.booleans(), st.booleans())
def test_the_network_takes_every_message_and_shows_its_very_text(
    words: str, notice: str, override: bool, imaged: bool
) -> None:
    own = {"social": {"slack": words}} if override else {"headline": words, "standfirst": notice}
    account = IMAGED if imaged else CARD
    made = payload(corrected(notice, **own), account, before=Remembered(), correction=True)
    shown = rendered(made.mrkdwn)
    assert len(made.mrkdwn.encode("utf-16-le")) <= 2 * (SECTION if imaged else UPDATE_TEXT)
    assert (shown.text, shown.called) == (made.text, ())
    assert LINK in shown.links
    assert made.text == made.text.strip()


@given(TEXTS, st.integers(1, 200))
def test_a_cut_text_is_never_longer_than_the_network_counts(text: str, limit: int) -> None:
    result = fit(text, limit)
    assert len(escaped(result).encode("utf-16-le")) <= 2 * limit
    if length(escaped(text)) <= limit:
        assert result == text


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("big", 6000), rendition("wide", 2000), rendition("small", 600)], "wide"),
        ([rendition("big", 6000), rendition("bigger", 7000)], "big"),
        ([rendition("modern", 2000, "webp"), rendition("small", 600)], "small"),
        ([rendition("long" * 1000, 600)], None),
    ],
)
def test_best_rendition_is_the_largest_that_is_taken_and_shown(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen


def test_alt_text_is_cut_to_its_limit_and_never_empty() -> None:
    long = pictured(LEAD.model_copy(update={"alt": "word " * 900}), "x")
    assert long is not None
    assert (len(long.alt) <= 2000, long.alt[-1]) == (True, "…")
    bare = pictured(LEAD.model_copy(update={"alt": " "}), "The headline")
    assert bare is not None
    assert bare.alt == "The headline"
    assert pictured(LEAD.model_copy(update={"renditions": ()}), "x") is None
