"""The Threads post for an article: what it says, how long it is, and that the network takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.threads.compose import (
    Frozen,
    best_rendition,
    compose,
    compose_reply,
    fit,
    length,
)
from services.social.channels.threads.fake_rules import (
    MAX_CHARACTERS,
    MAX_LINKS,
    checked_container,
    counted,
    links,
)
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.threads.wording import topic_of
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = ThreadsSettings(user_id="7", access_token=SecretStr("t0ken"))
CARD = ACCOUNT.model_copy(update={"media": "card"})
LINK = "https://news.example/budget?utm_source=threads&utm_medium=social"
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 30,
            "https://news.example/budget",
            "#Budget",
            "@ana",
            "🇩🇪" * 90,
            "👍🏽1️⃣©️🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "𝒳" * 90,
        ]
    ),
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


def rendition(
    name: str, width: int, height: int = 800, size: int = 1000, kind: str = "image/jpeg"
) -> Rendition:
    url = f"https://news.example/{name}"
    return Rendition(name=name, url=url, width=width, height=height, media_type=kind, size=size)


LEAD = LeadImage(media_id="m", alt="The town hall", renditions=(rendition("a.jpg", 1600),))


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
        "lead_image": LEAD,
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def corrected(*texts: str, **changed: Any) -> Article:
    notices = tuple(Correction(at=NOW, kind="correction", text=text) for text in texts)
    return article(corrections=notices, **changed)


def frozen(story: Article, account: ThreadsSettings = ACCOUNT) -> Frozen:
    return compose(story, key="k", now=NOW, settings=account)


def reply(story: Article, told: int = 0, account: ThreadsSettings = ACCOUNT) -> Frozen:
    return compose_reply(story, key="k", now=NOW, settings=account, reply_to="9", told=told)


def test_with_an_image_the_link_is_in_the_text() -> None:
    made = frozen(article())
    assert made.container() == {
        "media_type": "IMAGE",
        "text": f"Council passes the budget\n\nSchools get more, roads get less.\n\n{LINK}",
        "image_url": "https://news.example/a.jpg",
        "alt_text": "The town hall",
        "topic_tag": "local politics",
    }


@pytest.mark.parametrize(
    ("story", "account"), [(article(), CARD), (article(lead_image=None), ACCOUNT)]
)
def test_without_an_image_the_link_is_a_card(story: Article, account: ThreadsSettings) -> None:
    assert frozen(story, account).container() == {
        "media_type": "TEXT",
        "text": "Council passes the budget\n\nSchools get more, roads get less.",
        "link_attachment": LINK,
        "topic_tag": "local politics",
    }


def test_editors_own_words_win_and_their_address_is_tracked() -> None:
    made = frozen(article(social={"threads": "See https://news.example/budget. Done."}))
    assert made.text == f"See {LINK}. Done."


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    made = frozen(article(social={"threads": "word " * 150 + "https://news.example/budget"}))
    assert made.text.endswith(f"…\n\n{LINK}")
    assert counted(made.text) <= MAX_CHARACTERS


def test_text_is_cut_at_a_sentence() -> None:
    made = frozen(article(social={"threads": "One whole sentence here. " * 30}), CARD)
    assert made.text.endswith("here. …")


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    made = frozen(article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",)))
    assert made.text == f"المجلس يقر الميزانية\n\n{LINK}"
    assert made.topic == "ميزانية"


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("", 0),
        ("Grüße, мир, 世界", 14),
        ("😀", 4),
        ("👨‍👩‍👧‍👦", 25),
        ("🇩🇪", 8),
        ("1️⃣", 7),
        ("👍🏽", 8),
        ("❤️", 6),
        ("a😀b", 6),
        ("1 # *", 5),
        ("𝒳", 2),
    ],
)
def test_length_counts_an_emoji_as_its_bytes(text: str, characters: int) -> None:
    assert length(text) == characters


@pytest.mark.parametrize(
    ("tags", "text", "topic"),
    [
        (("climate change",), "", "climate change"),
        (("#Budget",), "", "Budget"),
        (("U.S. & them",), "", "U S them"),
        (("x" * 51, "short"), "", "short"),
        (("...", "&"), "", None),
        ((), "", None),
        (("Budget",), "All of it #now", None),
        (("Budget",), "page.html#part", "Budget"),
    ],
)
def test_the_first_tag_that_can_be_one_is_the_topic(
    tags: tuple[str, ...], text: str, topic: str | None
) -> None:
    assert topic_of(tags, text) == topic


def test_no_topic_where_the_account_wants_none() -> None:
    account = ACCOUNT.model_copy(update={"topic": False})
    assert "topic_tag" not in frozen(article(), account).container()


def test_reply_tells_what_was_not_told_newest_first() -> None:
    made = reply(corrected("First.", "Second.", "Third."), told=1)
    assert made.container() == {
        "media_type": "TEXT",
        "text": "Correction: Third.\n\nCorrection: Second.",
        "link_attachment": f"{LINK}&utm_content=correction-3",
        "reply_to_id": "9",
    }


def test_each_publication_and_correction_has_a_link_of_its_own() -> None:
    again = corrected("a", "b", publication=2)
    made = [frozen(article()), frozen(again), reply(corrected("a")), reply(again)]
    ends = [one.link.removeprefix(LINK) for one in made]
    assert ends == [
        "", "&utm_content=2", "&utm_content=correction-1", "&utm_content=2-correction-2",
    ]  # fmt: skip


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    made = reply(article(corrections=(notice,)), account=account)
    assert made.text == "Klarstellung: Gemeint ist 2027."


@pytest.mark.parametrize("account", [ACCOUNT, CARD])
def test_five_links_are_taken_and_six_given_up(account: ThreadsSettings) -> None:
    words = " ".join(f"www.example.org/{number}" for number in range(MAX_LINKS - 1))
    own = f"{words} https://news.example/budget"  # the same as the one that is attached, so it counts once
    made = frozen(article(social={"threads": own}), account)
    assert len({*links(made.text), LINK}) == MAX_LINKS
    with pytest.raises(GiveUp, match="more than the 5 links"):
        frozen(article(social={"threads": f"{words} https://example.org/4"}), account)


def test_a_link_longer_than_a_post_is_given_up_beside_an_image_only() -> None:
    story = article(url="https://news.example/" + "x" * 500)
    with pytest.raises(GiveUp, match="link alone"):
        frozen(story)
    assert frozen(story, CARD).link_attachment


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("huge", 6000), rendition("wide", 1600), rendition("small", 600)], "wide"),
        ([rendition("medium", 1200), rendition("small", 600)], "medium"),
        ([rendition("heavy", 1600, size=9_000_000), rendition("small", 600)], "small"),
        ([rendition("modern", 1600, kind="image/webp"), rendition("small", 600)], "small"),
        ([rendition("banner", 9000), rendition("small", 600)], "small"),
        ([rendition("modern", 1600, kind="image/webp")], None),
        ([], None),
    ],
)
def test_best_rendition_is_the_smallest_that_is_wide_enough(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen


def test_payload_is_json_and_comes_back_equal_without_the_token() -> None:
    made = frozen(article())
    assert Frozen.model_validate(made.model_dump(mode="json")) == made
    assert "t0ken" not in repr(ACCOUNT) + made.model_dump_json()


@pytest.mark.parametrize(
    "wrong", [{"server": "graph.threads.net"}, {"user_id": "../x"}, {"version": "1"}, {"colour": 1}]
)
def test_settings_refuse_what_is_not_theirs(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ThreadsSettings.model_validate({"user_id": "7", "access_token": "t", **wrong})


def test_a_number_from_the_command_line_is_a_profile() -> None:
    account = ThreadsSettings.model_validate({"user_id": 25_000, "access_token": "t"})
    assert account.user_id == "25000"


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=60), max_size=3), st.booleans(), st.booleans())
def test_the_network_takes_every_post(
    words: str, notice: str, tags: list[str], override: bool, card: bool
) -> None:
    own = {"social": {"threads": words}} if override else {"headline": words, "standfirst": notice}
    story = corrected(notice, tags=tuple(tags), **own)
    try:
        posting = frozen(story, CARD if card else ACCOUNT)
    except GiveUp:
        assert len(set(links(words.replace("\r", "\n")))) >= MAX_LINKS
        return
    for made in (posting, reply(story)):
        taken = checked_container(made.container())
        assert counted(made.text) <= length(made.text) <= MAX_CHARACTERS
        assert made.link in made.text or taken.link_attachment == made.link


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_never_less_than_the_stand_in_counts(text: str) -> None:
    assert counted(text) <= length(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.just("https://example.com/a?b=c"), st.just("👩‍🚀👍🏽")),
        max_size=30,
    ).map(" ".join),
    st.integers(1, 500),
)
def test_a_cut_is_short_enough_and_goes_through_no_character_or_link(text: str, limit: int) -> None:
    cut = fit(text, limit)
    assert length(cut) <= limit
    if cut != text:
        # A space before the ellipsis may be ours, or belong to the last character.
        kept = cut.removesuffix("…")
        kept = kept if text.startswith(kept) else kept.removesuffix(" ")
        assert text.startswith(kept)
        ends = {0, *(found.end() for found in regex.finditer(r"\X", text))}
        assert ends & {len(kept), len(kept.removesuffix(" "))}
        assert not regex.search(r"https?(?::/{0,2}(?:e[a-z.]*)?(?:/a?\??b?=?)?)?$", kept)
