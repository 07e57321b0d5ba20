"""The LinkedIn post for an article: what it says, how it is escaped, and that the network shows all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.linkedin.compose import (
    LIMIT,
    Frozen,
    Remembered,
    Thumbnail,
    best_rendition,
    compose,
    fit,
    length,
    picture,
)
from services.social.channels.linkedin.fake_rules import counted, shown
from services.social.channels.linkedin.littletext import readable, wire
from services.social.channels.linkedin.settings import LinkedInSettings
from shared.contracts.articles import (
    Article,
    Correction,
    LeadImage,
    Rendition,
    ShareOverride,
    Status,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = LinkedInSettings(organization="42", access_token=SecretStr("t0ken"))
LINK = "https://news.example/budget?utm_source=linkedin&utm_medium=social"
THUMBNAIL = Thumbnail(
    url="https://news.example/a.jpg", sha256="aa", size=10, media_type="image/jpeg"
)
PIECES = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("\\|{}@[]()<>#*_~ a1"), max_size=60),
    st.text(st.characters(min_codepoint=0x590, max_codepoint=0x6FF), max_size=60),
    st.sampled_from(
        [
            "👨‍👩‍👧‍👦" * 60,
            "https://news.example/a_(b)#c~d",
            "#Budget",
            "#a_b",
            "{hashtag|\\#|x}",
            "@[A](urn:li:person:b)",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join)


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the budget",
        "standfirst": "Schools get more (roads get less).",
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


def frozen(story: Article, account: LinkedInSettings = ACCOUNT, **more: Any) -> Frozen:
    made = compose(story, **{"now": NOW, "settings": account, **more})
    assert made is not None
    return made


def test_headline_standfirst_and_hashtags_are_escaped_and_the_link_is_on_the_card() -> None:
    made = frozen(article(), thumbnail=THUMBNAIL)
    assert made.commentary == (
        "Council passes the budget\n\nSchools get more \\(roads get less\\).\n\n"
        "{hashtag|\\#|LocalPolitics} {hashtag|\\#|Budget}"
    )
    assert (made.link, made.author) == (LINK, "urn:li:organization:42")
    assert (made.title, made.description) == (
        "Council passes the budget",
        "Schools get more (roads get less).",
    )
    assert made.thumbnail == THUMBNAIL


def test_editors_own_words_win_and_their_hashtags_become_templates() -> None:
    made = frozen(article(social={"linkedin": "It is done #Budget_2 #budget", "bluesky": "no"}))
    assert made.commentary == (
        "It is done \\#Budget\\_2 {hashtag|\\#|budget}\n\n{hashtag|\\#|LocalPolitics}"
    )


def test_an_address_the_editor_placed_is_tracked() -> None:
    made = frozen(article(social={"linkedin": "See https://news.example/budget. Done."}, tags=()))
    assert readable(made.commentary) == f"See {LINK}. Done."
    assert "utm\\_source" in made.commentary


def test_links_stay_bare_where_the_account_says_so() -> None:
    account = ACCOUNT.model_copy(update={"escape_links": False})
    words = {"linkedin": "See (https://news.example/a_b) #x"}
    made = frozen(article(social=words, tags=()), account)
    assert made.commentary == "See \\(https://news.example/a_b) {hashtag|\\#|x}"


def test_card_says_what_was_meant_for_shared_links() -> None:
    image = LeadImage(media_id="s", alt="")
    share = ShareOverride(title="Budget!", description="In short.", image=image)
    story = article(share=share, lead_image=LeadImage(media_id="m", alt=""))
    made = frozen(story)
    assert (made.title, made.description) == ("Budget!", "In short.")
    assert picture(story) == image
    assert picture(story.model_copy(update={"share": ShareOverride()})) == story.lead_image


def test_card_is_cut_to_its_limits() -> None:
    made = frozen(article(headline="word " * 200, standfirst="word " * 2000))
    assert (counted(made.title) <= 400, counted(made.description) <= 4086) == (True, True)
    assert made.title.endswith("…")


def test_a_later_publication_has_a_link_of_its_own() -> None:
    assert frozen(article(publication=2)).link == f"{LINK}&utm_content=2"


def test_right_to_left_text_keeps_its_order() -> None:
    made = frozen(article(headline="المجلس يقر الميزانية", standfirst="", tags=("ميزانية",)))
    assert made.commentary == "المجلس يقر الميزانية\n\n{hashtag|\\#|ميزانية}"


def test_number_of_hashtags_is_the_accounts_choice() -> None:
    account = ACCOUNT.model_copy(update={"hashtags": 0})
    assert "hashtag" not in frozen(article(), account).commentary


def test_correction_is_said_first_and_stays() -> None:
    story = corrected("It is 4 million, not 40.")
    made = frozen(story, before=Remembered(), correction=True)
    assert made.commentary.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    before = Remembered.model_validate(made.remembered())
    later = frozen(story.model_copy(update={"headline": "Other"}), before=before)
    assert later.commentary.startswith("Correction: It is 4 million, not 40.\n\nOther")
    assert compose(story, now=NOW, settings=ACCOUNT, before=before) is None


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    made = frozen(article(corrections=(notice,)), account, before=Remembered(), correction=True)
    assert made.commentary.startswith("Klarstellung: Gemeint ist 2027.")


def test_long_correction_and_long_text_share_the_room() -> None:
    story = corrected("(wrong) " * 600, social={"linkedin": "words " * 900})
    notice, body = readable(frozen(story, before=Remembered(), correction=True).commentary).split(
        "\n\n"
    )[:2]
    assert (notice[-1], body[-1], body[:5]) == ("…", "…", "words")


def test_minor_edit_without_visible_change_is_nothing_to_do() -> None:
    before = Remembered.model_validate(frozen(article()).remembered())
    assert compose(article(body="other"), now=NOW, settings=ACCOUNT, before=before) is None


def test_payload_is_json_and_comes_back_equal_without_the_token() -> None:
    made = frozen(article(), thumbnail=THUMBNAIL)
    assert Frozen.model_validate(made.model_dump(mode="json")) == made
    assert "t0ken" not in repr(ACCOUNT) + made.model_dump_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [("organization", "acme"), ("version", "2026-09"), ("version", "202613"), ("server", "a.b")],
)
def test_settings_name_what_is_wrong(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        LinkedInSettings.model_validate({"organization": "1", "access_token": "t", field: value})


def test_a_number_from_the_command_line_is_taken_as_its_digits() -> None:
    given: dict[str, Any] = {"organization": 17841400000000001, "access_token": "t"}
    assert LinkedInSettings.model_validate(given).organization == "17841400000000001"


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_escaping_is_reversible_and_the_network_cuts_nothing(text: str) -> None:
    written = wire(text)
    assert readable(written) == text
    assert shown(written) == text
    assert counted(written) == length(text)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans(), st.booleans())
def test_the_network_takes_every_post(
    words: str, notice: str, tags: list[str], override: bool, correction: bool
) -> None:
    own = {"social": {"linkedin": words * 20}} if override else {"headline": words * 20}
    story = corrected(notice * 20, tags=tuple(tags), **own)
    made = frozen(story, before=Remembered(commentary="x"), correction=correction)
    assert counted(made.commentary) <= LIMIT
    assert shown(made.commentary) == readable(made.commentary)
    assert counted(made.title) <= 400


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 150))
def test_fitted_text_is_within_the_limit_and_cut_between_graphemes(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert counted(wire(fitted)) <= limit
    if fitted == text or not fitted:
        return
    kept = fitted.removesuffix("…")
    bounds = {0} | {found.end() for found in regex.finditer(r"\X", text)}
    # The space before the ellipsis is ours, or, after an Arabic number sign, part of a grapheme.
    assert any(
        text.startswith(part) and len(part) in bounds for part in (kept, kept.removesuffix(" "))
    )


@pytest.mark.parametrize("limit", range(1, 70))
def test_never_cut_inside_a_link_or_hashtag(limit: int) -> None:
    words = ["Before", "https://news.example/a_b", "#Klimawandel", "after", "all"]
    kept = fit(" ".join(words), limit).removesuffix("…").split()
    if kept and kept[-1] not in words:
        assert words[len(kept) - 1] in {"Before", "after", "all"}
        kept.pop()
    assert kept == words[: len(kept)]


def rendition(name: str, width: int, kind: str = "image/jpeg") -> Rendition:
    url = f"https://news.example/{name}"
    return Rendition(name=name, url=url, width=width, height=width // 2, media_type=kind, size=9)


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("huge", 4000), rendition("w1600", 1600), rendition("w800", 800)], "w1600"),
        ([rendition("w800", 800), rendition("w400", 400)], "w800"),
        ([rendition("w1600", 1600, "image/webp"), rendition("w400", 400)], "w400"),
        ([rendition("giant", 9000)], None),
        ([], None),
    ],
)
def test_best_rendition_is_the_smallest_that_is_wide_enough(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)))
    assert (best.name if best else None) == chosen


def test_the_picture_is_fixed_by_the_hash_of_its_bytes() -> None:
    made = Thumbnail.of(rendition("one", 800), b"bytes")
    assert (made.size, len(made.sha256), made.media_type) == (5, 64, "image/jpeg")
