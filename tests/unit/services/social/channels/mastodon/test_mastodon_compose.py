"""The status for an article: what it says, what it keeps when edited, and that the server takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from services.social.channels.mastodon.compose import (
    Image,
    Limits,
    Remembered,
    StatusPayload,
    best_rendition,
    compose,
    described,
)
from services.social.channels.mastodon.fake_rules import counted
from services.social.channels.mastodon.settings import MastodonSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.delivery.errors import GiveUp

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ACCOUNT = MastodonSettings(server="https://social.example/", access_token=SecretStr("t0ken"))
LINK = "https://news.example/budget?utm_source=mastodon&utm_medium=social"
IMAGE = Image(
    url="https://news.example/media/a.jpg",
    sha256="aa",
    size=10,
    media_type="image/jpeg",
    alt="The town hall",
    width=1200,
    height=800,
    focus=(0.0, 0.0),
)
RTL_LETTERS = st.characters(min_codepoint=0x590, max_codepoint=0x6FF, categories=["Lo", "Mn"])
WORDS = st.one_of(
    st.text(max_size=120),
    st.text(RTL_LETTERS, max_size=80),
    st.sampled_from(
        ["👨‍👩‍👧‍👦" * 40, "https://news.example/budget", "#Budget", "@a@b.org", "🇩🇪" * 90]
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


def payload(story: Article, account: MastodonSettings = ACCOUNT, **more: Any) -> StatusPayload:
    made = compose(
        story, **{"key": "k", "now": NOW, "settings": account, "limits": Limits(), **more}
    )
    assert made is not None
    return made


def remembered(made: StatusPayload, media_id: str | None = None) -> Remembered:
    return Remembered.model_validate(made.remembered(media_id))


def test_headline_standfirst_link_and_hashtags() -> None:
    made = payload(article())
    assert made.status == (
        "Council passes the budget\n\nSchools get more, roads get less.\n\n"
        f"{LINK}\n\n#LocalPolitics #Budget"
    )
    assert (made.language, made.visibility, made.link) == ("en", "public", LINK)


def test_summary_stands_in_for_a_missing_standfirst() -> None:
    assert "In short." in payload(article(standfirst="", summary="In short.")).status


def test_editors_own_words_win() -> None:
    made = payload(article(social={"mastodon": "It is done #Budget", "bluesky": "no"}))
    assert made.status == f"It is done #Budget\n\n{LINK}\n\n#LocalPolitics"


def test_an_address_the_editor_placed_is_tracked_and_not_repeated() -> None:
    made = payload(article(social={"mastodon": "See https://news.example/budget. Done."}, tags=()))
    assert made.status == f"See {LINK}. Done."


def test_an_address_that_the_cut_takes_away_comes_back_at_the_end() -> None:
    words = "word " * 150 + "https://news.example/budget"
    made = payload(article(social={"mastodon": words}))
    assert LINK in made.status
    assert counted(made.status) <= 500


def test_right_to_left_text_keeps_its_order_with_the_link_on_its_own_line() -> None:
    made = payload(
        article(headline="المجلس يقر الميزانية", standfirst="", language="ar", tags=("ميزانية",))
    )
    assert made.status == f"المجلس يقر الميزانية\n\n{LINK}\n\n#ميزانية"


def test_number_of_hashtags_is_the_accounts_choice() -> None:
    account = ACCOUNT.model_copy(update={"hashtags": 0})
    assert "#" not in payload(article(), account).status


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de-AT", "de"), ("zh-TW", "zh-TW"), ("gsw", "gsw"), ("und", "fr"), ("x-private", "fr")],
)
def test_language_is_a_code_that_the_server_knows(tag: str, code: str) -> None:
    account = ACCOUNT.model_copy(update={"language": "fr"})
    assert payload(article(language=tag), account).language == code


def test_the_key_is_that_of_the_intent_and_of_nothing_else() -> None:
    one, again = payload(article()), payload(article(headline="Other"))
    assert one.idempotency_key == again.idempotency_key
    assert one.idempotency_key != payload(article(), key="k2").idempotency_key


def test_correction_is_said_first() -> None:
    made = payload(corrected("It is 4 million, not 40."), before=Remembered(), correction=True)
    assert made.status.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    assert made.notice


def test_label_of_a_clarification_is_in_the_accounts_language() -> None:
    account = ACCOUNT.model_copy(update={"labels": {"clarification": "Klarstellung"}})
    notice = Correction(at=NOW, kind="clarification", text="Gemeint ist 2027.")
    story = article(corrections=(notice,))
    made = payload(story, account, before=Remembered(), correction=True)
    assert made.status.startswith("Klarstellung: Gemeint ist 2027.")


def test_long_correction_and_long_text_share_the_room() -> None:
    story = corrected("wrong " * 200, social={"mastodon": "words " * 200})
    made = payload(story, before=Remembered(), correction=True)
    notice, body, link = made.status.split("\n\n")[:3]
    assert notice.startswith("Correction: wrong")
    assert notice.endswith("…")
    assert body.startswith("words")
    assert body.endswith("…")
    assert link == LINK
    assert counted(made.status) <= 500


def test_short_text_leaves_its_room_to_the_correction() -> None:
    story = corrected("w" * 390, social={"mastodon": "Short."})
    assert "w" * 390 in payload(story, before=Remembered(), correction=True).status


def test_minor_edit_without_visible_change_is_nothing_to_do() -> None:
    before = remembered(payload(article(), image=IMAGE), "m1")
    story = article(body="changed", revision=2)
    more: dict[str, Any] = {"settings": ACCOUNT, "limits": Limits(), "image": IMAGE}
    assert compose(story, key="k2", now=NOW, before=before, **more) is None


@pytest.mark.parametrize(
    ("story", "image"),
    [
        (article(headline="Other"), IMAGE),
        (article(language="fr"), IMAGE),
        (article(), IMAGE.model_copy(update={"alt": "Other words"})),
        (article(), IMAGE.model_copy(update={"sha256": "bb"})),
        (article(), None),
    ],
)
def test_minor_edit_with_a_visible_change_is_made(story: Article, image: Image | None) -> None:
    before = remembered(payload(article(), image=IMAGE), "m1")
    assert payload(story, image=image, before=before)


def test_edit_keeps_the_image_that_is_on_the_server() -> None:
    before = remembered(payload(article(), image=IMAGE), "m1")
    made = payload(article(headline="Other"), image=IMAGE, before=before)
    assert made.image == IMAGE.model_copy(update={"media_id": "m1"})


def test_edit_with_another_image_does_not_name_the_old_one() -> None:
    before = remembered(payload(article(), image=IMAGE), "m1")
    other = IMAGE.model_copy(update={"sha256": "bb"})
    made = payload(article(), image=other, before=before)
    assert made.image == other


def test_notice_stays_in_later_minor_edits() -> None:
    story = corrected("It is 4 million.")
    before = remembered(payload(story, before=Remembered(), correction=True))
    made = payload(story.model_copy(update={"headline": "Other"}), before=before)
    assert made.status.startswith("Correction: It is 4 million.\n\nOther")


def test_first_post_after_a_correction_carries_no_notice() -> None:
    assert "Correction" not in payload(corrected("It is 4 million.")).status


def test_a_server_without_room_for_the_link_is_refused() -> None:
    with pytest.raises(GiveUp, match="20 characters"):
        payload(article(), limits=Limits(max_characters=20))


def test_payload_is_json_and_comes_back_equal() -> None:
    made = payload(article(), image=IMAGE)
    assert StatusPayload.model_validate(made.model_dump(mode="json")) == made


def test_token_is_in_no_representation() -> None:
    assert "t0ken" not in repr(ACCOUNT) + payload(article()).model_dump_json()


def test_server_must_be_an_absolute_address() -> None:
    assert ACCOUNT.server == "https://social.example"
    with pytest.raises(ValidationError, match="absolute"):
        MastodonSettings(server="social.example", access_token=SecretStr("x"))


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.lists(st.text(max_size=30), max_size=4), st.booleans(), st.booleans())
def test_the_server_takes_every_status(
    words: str, notice: str, tags: list[str], override: bool, correction: bool
) -> None:
    own = {"social": {"mastodon": words}} if override else {"headline": words, "standfirst": notice}
    story = corrected(notice, tags=tuple(tags), **own)
    made = payload(story, before=Remembered(text="x"), correction=correction)
    assert counted(made.status) <= 500
    assert LINK in made.status
    assert "\x00" not in made.status
    assert made.status == made.status.strip()


def rendition(name: str, width: int, size: int = 1000, kind: str = "image/jpeg") -> Rendition:
    url = f"https://news.example/{name}"
    return Rendition(name=name, url=url, width=width, height=width // 2, media_type=kind, size=size)


@pytest.mark.parametrize(
    ("renditions", "chosen"),
    [
        ([rendition("big", 6000), rendition("wide", 3000), rendition("small", 600)], "wide"),
        ([rendition("big", 6000), rendition("huge", 7000)], "big"),
        ([rendition("heavy", 3000, 17 * 1024 * 1024), rendition("small", 600)], "small"),
        ([rendition("vector", 3000, kind="image/svg+xml"), rendition("small", 600)], "small"),
        ([rendition("giant", 12_000)], None),
        ([], None),
    ],
)
def test_best_rendition_is_the_largest_that_is_taken_and_shown(
    renditions: list[Rendition], chosen: str | None
) -> None:
    best = best_rendition(LeadImage(media_id="m", alt="", renditions=tuple(renditions)), Limits())
    assert (best.name if best else None) == chosen


def test_focus_turns_into_the_networks_axes_and_alt_is_cut_to_its_limit() -> None:
    one = rendition("one", 600)
    lead = LeadImage(media_id="m", alt="word " * 400, focus=(0.25, 0.0), renditions=(one,))
    image = described(lead, one, b"bytes", Limits())
    assert image.focus == (-0.5, 1.0)
    assert len(image.alt) <= 1500
    assert image.alt.endswith("…")
    assert (image.size, len(image.sha256)) == (5, 64)
