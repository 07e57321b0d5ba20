"""Ghost exports (JSON) and the posts of Ghost's webhooks, read into articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from services.publishing.domain.foreign.html_to_markdown import Converted, to_markdown
from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    ForeignImage,
    Found,
    LeftOut,
    Term,
    Unreadable,
)
from services.publishing.domain.foreign.text import (
    clean,
    instant,
    path_of,
    plain_text,
    usable_slug,
    web_address,
)

PLACEHOLDER = "__GHOST_URL__"
PERMALINK = "/{slug}/"
"""Ghost's own; a site with another one in its routes.yaml gives it."""
_META = (
    *("og_image", "og_title", "og_description", "meta_title", "meta_description"),
    *("feature_image_alt", "feature_image_caption"),
)

Row = dict[str, Any]


def read(content: bytes, site: str | None = None, permalink: str = PERMALINK) -> Iterator[Found]:
    """Every post, and what is left out. `site` stands in for Ghost's placeholder. Raises `Unreadable`."""
    data = _data(content)
    users = {str(row.get("id")): row for row in _rows(data, "users")}
    tags = {str(row.get("id")): row for row in _rows(data, "tags")}
    meta = {str(row.get("post_id")): row for row in _rows(data, "posts_meta")}
    authors = _joined(_rows(data, "posts_authors"), "author_id", users)
    tagged = _joined(_rows(data, "posts_tags"), "tag_id", tags)
    for row in _rows(data, "posts"):
        id = str(row.get("id"))
        own = [users[str(row["author_id"])]] if str(row.get("author_id")) in users else []
        post = {
            **{name: meta.get(id, {}).get(name) for name in _META},
            **{name: value for name, value in row.items() if value is not None},
            "authors": authors.get(id) or own,
            "tags": tagged.get(id, []),
        }
        yield article_of(post, site, permalink)


def article_of(post: Row, site: str | None = None, permalink: str = PERMALINK) -> Found:
    """One post as the export joins it, or as a webhook sends it, with `authors` and `tags` inside."""
    id, title = str(post.get("id") or "")[:100], plain_text(_text(post, "title"))
    if post.get("type", "post") != "post" or post.get("page") in (1, True):
        return LeftOut(id, title, "is no article: page")
    if not id or clean(id) != id:
        return LeftOut(id, title, "has no usable id", wrong=True)
    status = _text(post, "status") or "draft"
    if status not in {"published", "draft", "scheduled", "sent"}:
        return LeftOut(id, title, f"has an unknown status: {status[:40]}", wrong=True)
    try:
        return _article(post, id, title, status, site, permalink)
    except Unreadable as error:
        return LeftOut(id, title, str(error), wrong=True)


def _article(
    post: Row, id: str, title: str, status: str, site: str | None, permalink: str
) -> ForeignArticle:
    converted = _body(post, site)
    notes = list(converted.notes)
    published_at = instant(post.get("published_at"))
    if status == "scheduled":
        when = f" for {published_at.isoformat()}" if published_at else ""
        notes.append(f"was scheduled there{when} and is a draft here")
    if status == "sent":
        notes.append("was only mailed, never on the web, and is a draft here")
    public = status == "published"
    tags = [tag for tag in _dicts(post, "tags") if not _internal(tag)]
    slug = usable_slug(_text(post, "slug"))
    lead = _address(_text(post, "feature_image"), site)
    return ForeignArticle(
        external_id=id,
        headline=title,
        body=converted.body,
        status="published" if public else "draft",
        slug=slug,
        standfirst=plain_text(_text(post, "custom_excerpt")),
        terms=tuple(
            Term(clean(_text(tag, "slug")), name)
            for tag in tags
            if (name := plain_text(_text(tag, "name")))
        ),
        authors=tuple(found for user in _dicts(post, "authors") if (found := _author(user, site))),
        language=_text(post, "locale") or None,
        published_at=published_at if public else None,
        updated_at=instant(post.get("updated_at")),
        former_paths=_paths(post, permalink, published_at, tags) if public else (),
        lead_image=ForeignImage(
            lead,
            plain_text(_text(post, "feature_image_alt")),
            plain_text(_text(post, "feature_image_caption")) or None,
        )
        if lead
        else None,
        images=converted.images,
        access="free" if _text(post, "visibility") in {"public", ""} else "premium",
        canonical_url=_address(_text(post, "canonical_url"), site),
        search_title=plain_text(_text(post, "meta_title")) or None,
        search_description=plain_text(_text(post, "meta_description")) or None,
        share_title=plain_text(_text(post, "og_title")) or None,
        share_description=plain_text(_text(post, "og_description")) or None,
        share_image=_address(_text(post, "og_image"), site),
        notes=tuple(notes),
    )


def _body(post: Row, site: str | None) -> Converted:
    html = post.get("html")
    if isinstance(html, str) and html.strip():
        # Without a site the placeholder stays, so that a picture can still be found in the folder.
        html = html.replace(PLACEHOLDER, site.rstrip("/")) if site else html
        return to_markdown(html, site)
    plain = post.get("plaintext")
    if isinstance(plain, str) and plain.strip():
        paragraphs = "".join(
            f"<p>{part.replace('&', '&amp;').replace('<', '&lt;')}</p>"
            for part in plain.split("\n\n")
        )
        converted = to_markdown(paragraphs)
        return Converted(converted.body, (), ("had no HTML: its plain text was taken",))
    if any(post.get(name) for name in ("lexical", "mobiledoc")) and post.get("status") != "draft":
        raise Unreadable("has neither html nor plaintext; export it from a newer Ghost")
    return Converted("", (), ())


def _author(user: Row, site: str | None) -> ForeignAuthor | None:
    name = plain_text(_text(user, "name"))[:120]
    if not name:
        return None
    return ForeignAuthor(
        name,
        slug=usable_slug(_text(user, "slug")),
        bio=plain_text(_text(user, "bio")) or None,
        url=web_address(_text(user, "website")),
        portrait=_address(_text(user, "profile_image"), site),
    )


def _paths(post: Row, permalink: str, at: Any, tags: list[Row]) -> tuple[str, ...]:
    if given := path_of(_text(post, "url")):  # a webhook says where the post is
        return (given,)
    values = {
        "{slug}": _text(post, "slug"),
        "{id}": _text(post, "id"),
        "{year}": f"{at:%Y}" if at else "",
        "{month}": f"{at:%m}" if at else "",
        "{day}": f"{at:%d}" if at else "",
        "{primary_tag}": _text(tags[0], "slug") if tags else "all",
    }
    path = permalink
    for name, value in values.items():
        path = path.replace(name, value)
    found = path_of(f"https://any.example{path}") if values["{slug}"] else None
    return (found,) if found else ()


def _address(text: str, site: str | None) -> str | None:
    """Absolute, or still with Ghost's placeholder where nobody said what the site's address is."""
    if text.startswith(PLACEHOLDER) and not site:
        return text if clean(text) == text and " " not in text else None
    return web_address(text.replace(PLACEHOLDER, (site or "").rstrip("/")))


def _internal(tag: Row) -> bool:
    return _text(tag, "visibility") == "internal" or _text(tag, "name").startswith("#")


def _data(content: bytes) -> Row:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("db"), list) and document["db"]:
        document = document["db"][0]
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        raise Unreadable("it is no Ghost export: there is no db[0].data.posts")
    return data


def _rows(data: Row, table: str) -> list[Row]:
    return _dicts(data, table)


def _dicts(row: Row, name: str) -> list[Row]:
    value = row.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _joined(links: list[Row], key: str, rows: dict[str, Row]) -> dict[str, list[Row]]:
    """What each post is linked to, in the order Ghost shows it."""
    found: defaultdict[str, list[tuple[int, Row]]] = defaultdict(list)
    for link in links:
        if (row := rows.get(str(link.get(key)))) is not None:
            order = link.get("sort_order")
            place = order if isinstance(order, int) else len(found)
            found[str(link.get("post_id"))].append((place, row))
    return {
        post: [row for _, row in sorted(pairs, key=lambda pair: pair[0])]
        for post, pairs in found.items()
    }


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
