"""Every example is a whole article that publishing takes as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frontmatter
import pytest
from PIL import Image

from services.publishing.domain.checklist import needs
from services.publishing.domain.content import Content
from shared.runtime.publication import is_right_to_left, load_publication

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "examples").glob("*.md"))
PUBLICATION = load_publication(ROOT / "deploy" / "publication.toml")


def read(file: Path) -> tuple[dict[str, Any], Content]:
    """The front matter as written, and the article with a stored image in place of the file."""
    post = frontmatter.load(str(file))
    fields = dict(post.metadata)
    image = {**fields["lead_image"], "media_id": "0" * 32}
    del image["file"]
    return dict(post.metadata), Content.model_validate(
        {**fields, "lead_image": image, "body": post.content}
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_can_be_published(file: Path) -> None:
    _, article = read(file)
    assert all(item.ok for item in needs(article, (), {}))
    assert article.section in {section.slug for section in PUBLICATION.sections}
    assert article.standfirst
    assert article.summary
    assert article.tags
    assert all(byline.role and byline.bio for byline in article.bylines)
    assert 300 <= len(article.body.split()) <= 600
    # Feeds and link previews cut there.
    assert len(article.headline) <= 110


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_picture_is_there_and_light(file: Path) -> None:
    fields, article = read(file)
    picture = file.parent / fields["lead_image"]["file"]
    assert picture.stat().st_size <= 250_000
    with Image.open(picture) as image:
        assert (image.format, image.size) == ("JPEG", (1600, 900))
    assert article.lead_image is not None
    assert article.lead_image.caption
    assert article.lead_image.credit
    assert len(article.lead_image.alt) >= 40


def test_the_set_shows_what_herald_can_do() -> None:
    articles = [read(file)[1] for file in FILES]
    assert len(articles) >= 4
    assert sum(article.priority == "breaking" for article in articles) == 1
    assert any(is_right_to_left(article.language or "") for article in articles)
    assert any({"mastodon", "bluesky"} <= set(article.social) for article in articles)
    assert any(article.access == "premium" for article in articles)
    assert len({article.slug for article in articles}) == len(articles)
    marks = ("\n## ", "\n| ", "\n> ", "\n1. ", "](https://")
    assert any(all(mark in article.body for mark in marks) for article in articles)


def test_social_texts_fit_their_networks() -> None:
    for file in FILES:
        social = read(file)[1].social
        # Mastodon counts the link as 23; Bluesky's limit is 300 graphemes.
        assert len(social.get("mastodon", "")) <= 475
        assert len(social.get("bluesky", "")) <= 250
