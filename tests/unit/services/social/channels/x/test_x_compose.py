"""The post for an article: what it says, when an edit takes the place of a reply, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.x.compose import (
    EDITS,
    Image,
    PostPayload,
    Remembered,
    alt_of,
    body_of,
    candidates,
    compose,
    compose_reply,
    fit,
    length,
)
from services.social.channels.x.fake_rules import MAX_WEIGHT, counted, links
from services.social.channels.x.settings import XSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = XSettings(access_token=SecretStr("t0ken"))
LINK = "https://news.example.org/budget?utm_source=x&utm_medium=social"
IMAGE = Image(
    url="https://news.example.org/media/a.jpg",
    sha256="aa",
    size=10,
    media_type="image/jpeg",
    alt="The town hall",
)
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 40,
            "https://news.example.org/budget",
            "https://news.example.org/budget(x",
            "#Budget",
            "@ana",
            "🇩🇪" * 90,
            "example.com/path",
            "日本語" * 60,
        ]
    ),
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example.org/budget",
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


def corrected(*texts: str, **changed: Any) -> Article:
    notices = tuple(Correction(at=NOW, kind="correction", text=text) for text in texts)
    return article(corrections=notices, **changed)


def payload(story: Article, **more: Any) -> PostPayload:
    made = compose(story, **{"now": NOW, "settings": ACCOUNT, **more})
    assert made is not None
    return made


def remembered(made: PostPayload) -> Remembered:
    return Remembered(text=made.text, notice=made.notice, posted_at=made.composed_at)


def reply(story: Article, told: int = 0) -> PostPayload:
    return compose_reply(story, now=NOW, settings=ACCOUNT, in_reply_to="7", told=told)


def test_headline_standfirst_link_and_hashtags() -> None:
    made = payload(article(), image=IMAGE)
    assert made.text == (
        "Council passes the budget\n\nSchools get more, roads get less.\n\n"
        f"{LINK}\n\n#LocalPolitics #Budget"
    )
    assert (made.link, made.image, made.notice) == (LINK, IMAGE, False)
    assert body_of(made, "5") == {"text": made.text, "media": {"media_ids": ["5"]}}


def test_editors_own_words_win_and_their_address_is_tracked() -> None:
    made = payload(article(social={"x": "See https://news.example.org/budget. Done."}, tags=()))
    assert made.text == f"See {LINK}. Done."


def test_an_address_that_the_network_reads_otherwise_is_said_again() -> None:
    for words in ("xhttps://news.example.org/budget", "https://news.example.org/budget(in_full"):
        assert payload(article(social={"x": words}, tags=())).text.endswith(f"\n\n{LINK}")


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    made = payload(article(social={"x": "word " * 80 + "https://news.example.org/budget"}))
    assert made.text.endswith(LINK) or LINK in made.text
    assert counted(made.text) <= MAX_WEIGHT


def test_text_is_cut_at_a_sentence_before_the_link() -> None:
    story = article(social={"x": "One whole sentence here. " * 12}, tags=())
    body, link = payload(story).text.split("\n\n")
    assert body.endswith("here. …")
    assert link == LINK


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    story = article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",))
    assert payload(story).text == f"المجلس يقر الميزانية\n\n{LINK}\n\n#ميزانية"


def test_the_text_is_sent_in_the_form_it_is_counted_in() -> None:
    assert "Café" in payload(article(headline="Cafe\u0301\ufeff")).text


def test_each_publication_and_correction_has_a_link_of_its_own() -> None:
    again = corrected("a", "b", publication=2)
    made = [payload(article()), payload(again), reply(corrected("a")), reply(again)]
    ends = [one.link.removeprefix(LINK) for one in made]
    assert ends == [
        "", "&utm_content=2", "&utm_content=correction-1", "&utm_content=2-correction-2",
    ]  # fmt: skip


def test_a_link_that_the_network_does_not_know_is_counted_and_may_be_too_long() -> None:
    assert "127.0.0.1" in payload(article(url="http://127.0.0.1:8080/articles/budget")).text
    with pytest.raises(GiveUp, match="link alone"):
        payload(article(url="http://127.0.0.1:8080/" + "x" * 300))


def test_reply_tells_what_was_not_told_newest_first() -> None:
    made = reply(corrected("First.", "Second.", "Third."), told=1)
    notice, other, link = made.text.split("\n\n")
    assert (notice, other) == ("Correction: Third.", "Correction: Second.")
    assert link == made.link
    assert body_of(made, None)["reply"] == {"in_reply_to_tweet_id": "7"}


def test_next_version_begins_with_the_correction_and_keeps_it() -> None:
    before = remembered(payload(article()))
    made = payload(
        corrected("It is 4 million."), previous_post_id="7", before=before, correction=True
    )
    assert made.text.startswith("Correction: It is 4 million.\n\nCouncil passes")
    assert made.link == LINK
    assert body_of(made, None)["edit_options"] == {"previous_post_id": "7"}
    later = corrected("It is 4 million.", headline="Other")
    kept = payload(later, previous_post_id="8", before=remembered(made))
    assert kept.text.startswith("Correction: It is 4 million.\n\nOther")


def test_a_version_that_differs_in_nothing_is_nothing_to_do() -> None:
    before = remembered(payload(article()))
    more: dict[str, Any] = {"now": NOW, "settings": ACCOUNT, "before": before}
    assert compose(article(body="x", revision=2), previous_post_id="7", **more) is None
    assert compose(article(), previous_post_id="7", image=IMAGE, **more) is not None


@pytest.mark.parametrize(
    ("minutes", "age", "edits", "editable"),
    [
        (0, 0, 0, False),
        (30, 0, 0, True),
        (30, 26, 0, True),
        (30, 27, 0, False),
        (60, 50, 4, True),
        (60, 1, EDITS, False),
    ],
)
def test_editing_stops_before_the_network_stops_it(
    minutes: int, age: int, edits: int, editable: bool
) -> None:
    post = Remembered(posted_at=NOW - timedelta(minutes=age), edits=edits)
    assert post.editable(NOW, minutes) is editable
    assert not Remembered().editable(NOW, 60)


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    story = article(corrections=(notice,))
    made = compose_reply(story, now=NOW, settings=account, in_reply_to="7", told=0)
    assert made.text.startswith("Klarstellung: Gemeint ist 2027.")


def rendition(name: str, width: int, size: int = 1000, kind: str = "image/jpeg") -> Rendition:
    url = f"https://news.example.org/{name}"
    return Rendition(name=name, url=url, width=width, height=width // 2, media_type=kind, size=size)


def test_best_rendition_is_the_smallest_that_is_wide_enough() -> None:
    lead = LeadImage(
        media_id="m",
        alt="word " * 300,
        renditions=(
            rendition("huge", 6000),
            rendition("heavy", 2100, 6_000_000),
            rendition("wide", 2400),
            rendition("small", 600),
            rendition("animated", 2048, kind="image/gif"),
        ),
    )
    assert [one.name for one in candidates(lead)] == ["wide", "huge", "small"]
    assert len(alt_of(lead)) <= 1000
    assert alt_of(lead).endswith("…")


def test_payload_is_json_and_comes_back_equal_without_the_token() -> None:
    made = payload(article(), image=IMAGE)
    assert PostPayload.model_validate(made.model_dump(mode="json")) == made
    assert "t0ken" not in repr(ACCOUNT) + made.model_dump_json()


@pytest.mark.parametrize("wrong", [{"server": "api.x.com"}, {"edit_minutes": 61}, {"colour": 1}])
def test_settings_refuse_what_is_not_theirs(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        XSettings.model_validate({"access_token": "t", **wrong})


@settings(max_examples=120, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans(), st.booleans())
def test_the_network_takes_every_post(
    words: str, notice: str, tags: list[str], override: bool, correction: bool
) -> None:
    own = {"social": {"x": words}} if override else {"headline": words, "standfirst": notice}
    story = corrected(notice, tags=tuple(tags), **own)
    before = Remembered(text="x", posted_at=NOW)
    for made in (payload(story, before=before, correction=correction), reply(story)):
        assert counted(made.text) <= MAX_WEIGHT
        assert made.link in links(made.text)
        assert made.text == made.text.strip()
        assert not regex.search(r"[\x00\ufffe\ufeff\uffff]", made.text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.just("example.com/a?b=c"), st.just("👩‍🚀👍🏽")),
        max_size=30,
    ).map(" ".join),
    st.integers(2, 280),
)
def test_a_cut_is_short_enough_and_goes_through_no_character_or_link(text: str, limit: int) -> None:
    cut = fit(text, limit)
    assert length(cut) <= limit
    if cut != text:
        kept = cut.removesuffix("…").removesuffix(" ")
        assert text.startswith(kept)
        ends = {0, *(found.end() for found in regex.finditer(r"\X", text))}
        assert len(kept) in ends
        assert not regex.search(r"example\.com(?:/(?:a(?:\?(?:b=?)?)?)?)?$", kept)
