"""The checklist and publishing read from one list: an article is refused exactly when something blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.publishing.domain import acts
from services.publishing.domain.article import References, WorkingCopy
from services.publishing.domain.authors import Author, ProfileText
from services.publishing.domain.checklist import Item, checklist
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Invalid, WrongStatus
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition
from shared.contracts.articles import Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ORIGIN = "https://news.example"
FIRST, SECOND = "1" * 32, "2" * 32
ADA = Author("ada-quill", ProfileText(name="Ada Quill"), (), 1, NOW, NOW)
READY: dict[str, Any] = {"headline": "H", "body": "B", "section": "city", "bylines": ["Ada"]}


def copy_of(content: dict[str, Any], **fields: Any) -> WorkingCopy:
    return replace(
        WorkingCopy(
            id="a",
            content=Content.model_validate(content),
            slug="h",
            body_html="<p>B</p>",
            language="en",
            lead_files=(),
            status=Status.DRAFT,
            revision=1,
            publication=0,
            published_at=None,
            updated_at=NOW,
            corrections=(),
            retraction=None,
            redirects=(),
            live=None,
            created_at=NOW,
            created_by="ada",
        ),
        **fields,
    )


def items(copy: WorkingCopy, level: str) -> dict[str, Item]:
    found = [item for item in checklist(copy, NOW, ORIGIN) if item.level == level]
    assert len({item.field for item in found}) == len(found)
    return {item.field: item for item in found}


def failing(copy: WorkingCopy, level: str) -> list[str]:
    return [field for field, item in items(copy, level).items() if not item.ok]


IMAGE = st.fixed_dictionaries(
    {"media_id": st.just(FIRST)}, optional={"alt": st.sampled_from(["", "words"])}
)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "headline": st.just("H"),
        "body": st.sampled_from(["", "B"]),
        "section": st.just("city"),
        "bylines": st.lists(
            st.sampled_from(["Bo", {"author": "ada-quill"}, {"author": "nobody", "name": "N"}]),
            max_size=3,
        ),
        "lead_image": IMAGE,
        "images": st.lists(IMAGE, max_size=1),
        "standfirst": st.just("S"),
        "noindex": st.booleans(),
        "canonical_url": st.just("https://first.example/"),
        "search": st.just({"title": "x" * 100}),
    },
)
PICTURES = st.lists(
    st.builds(
        BodyPicture, st.sampled_from([FIRST, SECOND]), st.sampled_from(["", "words"]), st.just(())
    ),
    max_size=2,
    unique_by=lambda picture: picture.media_id,
).map(tuple)


@given(
    CONTENT,
    PICTURES,
    st.sampled_from([status for status in Status if status is not Status.PUBLISHED]),
    st.booleans(),
)
@example(READY, (), Status.DRAFT, True)
@example(READY, (BodyPicture(FIRST, "", ()),), Status.DRAFT, True)
def test_publishing_refuses_exactly_when_something_blocks(
    content: dict[str, Any], pictures: tuple[BodyPicture, ...], status: Status, known: bool
) -> None:
    references = References({"ada-quill": ADA} if known else {}, {})
    copy = copy_of(content, body_pictures=pictures, status=status, references=references)
    blocking = items(copy, "blocking")
    lacking = {field: item.message for field, item in blocking.items() if not item.ok}
    refusal: dict[str, str] = {}
    try:
        acts.publish(copy, NOW, ORIGIN)
    except Invalid as refused:
        refusal = refused.fields
    except WrongStatus:
        # The table is asked first, so nothing is said of the rest.
        refusal = lacking if "status" in lacking else {}
    assert refusal == lacking


@pytest.mark.parametrize(
    ("content", "pictures", "field", "word"),
    [
        ({"lead_image": {"media_id": FIRST}}, (), "lead_image.alt", "words"),
        ({"images": [{"media_id": FIRST}]}, (), "images.0.alt", FIRST),
        (
            {"images": [{"media_id": FIRST, "alt": "x"}, {"media_id": SECOND}]},
            (BodyPicture(FIRST, "", ()), BodyPicture(SECOND, "", ())),
            "images.1.alt",
            SECOND,
        ),
        ({}, (BodyPicture(SECOND, "", ()),), "body", SECOND),
        ({"bylines": ["Bo", {"author": "nobody"}]}, (), "bylines.1.author", "nobody"),
    ],
)
def test_what_blocks_is_named(
    content: dict[str, Any], pictures: tuple[BodyPicture, ...], field: str, word: str
) -> None:
    copy = copy_of(READY | content, body_pictures=pictures)
    assert failing(copy, "blocking") == [field]
    assert word in items(copy, "blocking")[field].message
    with pytest.raises(Invalid) as refused:
        acts.publish(copy, NOW, ORIGIN)
    assert set(refused.value.fields) == {field}


def test_the_words_of_the_markdown_are_enough() -> None:
    described = (BodyPicture(FIRST, "A bridge", ()),)
    copy = copy_of(
        READY | {"images": [{"media_id": FIRST, "caption": "C"}]}, body_pictures=described
    )
    assert failing(copy, "blocking") == []
    live = acts.publish(copy, NOW, ORIGIN).after.live
    assert live is not None
    assert [(one.alt, one.caption) for one in live.images] == [("A bridge", "C")]


FULL: dict[str, Any] = READY | {
    "standfirst": "S",
    "summary": "S",
    "tags": ["t"],
    "lead_image": {"media_id": FIRST, "alt": "x"},
}
WIDE = (StoredRendition("original", "original.jpg", 1200, 800, "image/jpeg", 9),)


def test_a_full_article_needs_no_advice() -> None:
    copy = copy_of(FULL, lead_files=WIDE)
    assert failing(copy, "advice") == failing(copy, "blocking") == []


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"standfirst": ""}, "standfirst"),
        ({"summary": ""}, "summary"),
        ({"tags": []}, "tags"),
        ({"headline": "x" * 111}, "headline"),
        ({"search": {"title": "x" * 61}}, "search.title"),
        ({"search": {"description": "x" * 161}}, "search.description"),
        ({"share": {"image": {"media_id": SECOND}}}, "share.image.alt"),
        ({"canonical_url": "https://first.example/a"}, "canonical_url"),
        ({"noindex": True}, "noindex"),
        ({"embargo_until": (NOW + timedelta(hours=1)).isoformat()}, "embargo_until"),
    ],
)
def test_advice_does_not_block(content: dict[str, Any], field: str) -> None:
    copy = copy_of(FULL | content, lead_files=WIDE)
    assert failing(copy, "advice") == [field]
    assert failing(copy, "blocking") == []


@pytest.mark.parametrize(
    "content",
    [
        {"headline": "x" * 110},
        {"search": {"title": "x" * 60, "description": "x" * 160}},
        {"canonical_url": f"{ORIGIN}/articles/h"},
        {"embargo_until": NOW.isoformat()},
        {"social": {}},
    ],
)
def test_at_the_edge_there_is_no_advice(content: dict[str, Any]) -> None:
    assert failing(copy_of(FULL | content, lead_files=WIDE), "advice") == []


def test_advice_on_pictures_and_links() -> None:
    bare = {name: value for name, value in FULL.items() if name != "lead_image"}
    assert failing(copy_of(bare), "advice") == ["lead_image"]
    narrow = (replace(WIDE[0], width=1199),)
    assert failing(copy_of(FULL, lead_files=narrow), "advice") == ["lead_image.media_id"]
    plain = '<p><a href="http://old.example" rel="noopener">x</a></p>'
    assert failing(copy_of(FULL, lead_files=WIDE, body_html=plain), "advice") == ["body"]
    told = '<p>&lt;a href="http://old.example"&gt;</p>'
    assert failing(copy_of(FULL, lead_files=WIDE, body_html=told), "advice") == []


def test_only_public_articles_are_named_as_related() -> None:
    ids = [f"01890000-0000-7000-8000-{n:012x}" for n in range(7)]
    related = dict(zip(ids, Status, strict=False))
    copy = copy_of(FULL | {"related": ids}, references=References({}, related))
    live = acts.publish(copy, NOW, ORIGIN).after.live
    assert live is not None
    assert live.related == tuple(id for id in ids if related.get(id) is Status.PUBLISHED)
    assert len(live.related) == 1


@pytest.mark.parametrize(
    ("content", "language", "direction"),
    [
        ({}, "ar", "rtl"),
        ({}, "en", "ltr"),
        ({"direction": "ltr"}, "he", "ltr"),
        ({"direction": "rtl"}, "en", "rtl"),
    ],
)
def test_the_direction_of_the_snapshot(
    content: dict[str, Any], language: str, direction: str
) -> None:
    live = acts.publish(copy_of(FULL | content, language=language), NOW, ORIGIN).after.live
    assert live is not None
    assert live.direction == direction


def test_overrides_that_say_nothing_are_left_out() -> None:
    empty = {"search": {"title": ""}, "share": {}}
    live = acts.publish(copy_of(FULL | empty), NOW, ORIGIN).after.live
    assert live is not None
    assert (live.search, live.share) == (None, None)
