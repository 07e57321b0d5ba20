"""Exports of a WordPress and a Ghost newsroom, made to the published formats, and Herald to import them into."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.publishing import app as publishing
from services.publishing.settings import PublishingSettings
from services.standalone.client import HeraldClient
from services.standalone.mongod import Mongod
from services.standalone.ports import free_port
from services.standalone.single import identities
from services.standalone.stack import DEFAULT_PUBLICATION, Options, Stack
from shared.contracts.identity import Role
from shared.messaging.bus import Subscription
from shared.messaging.opening import open_bus
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id, new_token
from shared.storage.client import open_client
from shared.web.hosting import Host
from shared.web.identity import Revocations

ARTICLES = 500
BEGINNING = datetime(2014, 3, 1, 8, 15, tzinfo=UTC)
CATEGORIES = [
    ("world", "World"),
    ("city", "City"),
    ("lokales", "Lokales &amp; mehr"),
    ("sport", "Sport"),
]
AUTHORS = ["Ana Quill", "Bo Reed", "Zoë Ångström", "李雷"]
WORDS = [
    *("harbour", "tide", "bridge", "mayor", "“quoted”", "storm", "ferry", "—", "council", "€ 40"),
    *("night", "market", "café", "naïve", "snake_case", "2*3", "R&D", "[sic]", "library", "#1"),
    *("étude", "под", "Київ", "東京", "ship’s", "bell"),
]


def sentence(seed: int, words: int = 14) -> str:
    return " ".join(WORDS[(seed * 7 + n * (seed % 5 + 1)) % len(WORDS)] for n in range(words)) + "."


def picture(seed: int) -> bytes:
    out = io.BytesIO()
    colour = (seed * 53 % 256, seed * 97 % 256, seed * 31 % 256)
    Image.new("RGB", (60 + seed, 40), colour).save(out, "JPEG", quality=75)
    return out.getvalue()


def cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def wordpress_body(n: int) -> str:
    image = f"https://old.example/wp-content/uploads/2014/03/pic-{n % 12}-300x200.jpg"
    one, two = escape(sentence(n)), escape(sentence(n + 1))
    if n % 3 == 0:  # the classic editor: line ends and shortcodes
        shown = f'<img src="{image}" alt="Pic &amp; {n}" /> Seen {n}'
        caption = f'[caption id="attachment_1" align="left" width="300"]{shown}[/caption]'
        rest = f"<strong>{two}</strong>\nA new line.\n\n<!--more-->\n\n<ul>\n<li>a</li>\n</ul>"
        return f"{one}\n\n{caption}\n\n{rest}"
    if n % 3 == 1:  # blocks
        return (
            f"<!-- wp:paragraph -->\n<p>{one} <em>{two}</em></p>\n<!-- /wp:paragraph -->\n\n"
            f'<!-- wp:image {{"id":1}} -->\n<figure class="wp-block-image"><img src="{image}" alt="Pic {n}"/>'
            f"<figcaption>Seen {n}</figcaption></figure>\n<!-- /wp:image -->\n\n"
            f"<!-- wp:heading -->\n<h2>{two}</h2>\n<!-- /wp:heading -->\n\n"
            f"<!-- wp:quote -->\n<blockquote><p>{one}</p></blockquote>\n<!-- /wp:quote -->"
        )
    return (
        f'<p>{one}</p><p><a href="https://old.example/?p={n}">{two}</a></p>'
        f'<iframe src="https://video.example/{n}"></iframe><table><tr><th>a</th><th>b</th></tr>'
        f"<tr><td>{n}</td><td>c|d</td></tr></table>"
    )


def wordpress_item(n: int) -> str:
    at = BEGINNING + timedelta(hours=7 * n)
    status = {11: "draft", 23: "future", 37: "private"}.get(n % 50, "publish")
    slug, category = f"story-{n}", CATEGORIES[n % len(CATEGORIES)]
    author = n % len(AUTHORS)
    meta = [("_thumbnail_id", str(100_000 + n % 12)), ("_edit_last", "1")]
    if n % 10 == 0:
        meta += [("_wp_old_slug", f"old-story-{n}"), ("_yoast_wpseo_metadesc", sentence(n, 8))]
    metas = "".join(
        f"<wp:postmeta><wp:meta_key>{cdata(key)}</wp:meta_key>"
        f"<wp:meta_value>{cdata(value)}</wp:meta_value></wp:postmeta>"
        for key, value in meta
    )
    return f"""<item><title>{cdata(escape(sentence(n, 6)))}</title><link>https://old.example/{at:%Y/%m}/{slug}/</link>
<pubDate>{format_datetime(at)}</pubDate><dc:creator>{cdata(f"login{author}")}</dc:creator>
<guid isPermaLink="false">https://old.example/?p={n}</guid><description></description>
<content:encoded>{cdata(wordpress_body(n))}</content:encoded>
<excerpt:encoded>{cdata(sentence(n + 2, 9))}</excerpt:encoded>
<wp:post_id>{n}</wp:post_id><wp:post_date>{cdata(f"{at:%Y-%m-%d %H:%M:%S}")}</wp:post_date>
<wp:post_date_gmt>{cdata(f"{at:%Y-%m-%d %H:%M:%S}")}</wp:post_date_gmt>
<wp:post_modified_gmt>{cdata(f"{at + timedelta(hours=n % 9):%Y-%m-%d %H:%M:%S}")}</wp:post_modified_gmt>
<wp:comment_status>open</wp:comment_status><wp:post_name>{cdata(slug)}</wp:post_name>
<wp:status>{cdata(status)}</wp:status>
<wp:post_parent>0</wp:post_parent><wp:post_type>{cdata("post")}</wp:post_type><wp:post_password></wp:post_password>
<category domain="category" nicename="{category[0]}">{cdata(category[1])}</category>
<category domain="post_tag" nicename="t{n % 7}">{cdata(f"Tag {n % 7}")}</category>{metas}</item>"""


def write_wordpress(folder: Path, articles: int = ARTICLES) -> Path:
    """`export.xml` and its uploads in `folder`."""
    uploads = folder / "wp-content" / "uploads" / "2014" / "03"
    uploads.mkdir(parents=True)
    for number in range(12):
        (uploads / f"pic-{number}.jpg").write_bytes(picture(number))
    authors = "".join(
        f"<wp:author><wp:author_id>{n}</wp:author_id><wp:author_login>{cdata(f'login{n}')}</wp:author_login>"
        f"<wp:author_display_name>{cdata(name)}</wp:author_display_name></wp:author>"
        for n, name in enumerate(AUTHORS)
    )
    attachments = "".join(
        f"<item><title>pic-{n}</title><wp:post_id>{100_000 + n}</wp:post_id><wp:status>inherit</wp:status>"
        f"<wp:post_type>attachment</wp:post_type><excerpt:encoded>{cdata(f'Caption {n}')}</excerpt:encoded>"
        f"<wp:attachment_url>https://old.example/wp-content/uploads/2014/03/pic-{n}.jpg</wp:attachment_url>"
        f"<wp:postmeta><wp:meta_key>_wp_attachment_image_alt</wp:meta_key>"
        f"<wp:meta_value>{cdata(f'Alt {n}')}</wp:meta_value></wp:postmeta></item>"
        for n in range(12)
    )
    page = (
        "<item><title>About</title><wp:post_id>99999</wp:post_id><wp:status>publish</wp:status>"
        "<wp:post_type>page</wp:post_type></item>"
    )
    items = "\n".join(wordpress_item(n) for n in range(1, articles + 1))
    document = f"""<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/6.5" -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><link>https://old.example</link><language>en-US</language><wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>https://old.example</wp:base_site_url><wp:base_blog_url>https://old.example</wp:base_blog_url>
{authors}{page}{items}{attachments}</channel></rss>"""
    path = folder / "export.xml"
    path.write_text(document, encoding="utf-8")
    return path


def write_ghost(folder: Path, articles: int = ARTICLES) -> Path:
    """`ghost.json` and its images in `folder`."""
    images = folder / "content" / "images" / "2014"
    images.mkdir(parents=True)
    for number in range(12):
        (images / f"pic-{number}.jpg").write_bytes(picture(number))
    data: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("posts", "posts_meta", "tags", "users", "posts_tags", "posts_authors")
    }
    for number, (slug, name) in enumerate([*CATEGORIES, ("hash-inner", "#inner")]):
        name = name.replace("&amp;", "&")
        visibility = "internal" if name.startswith("#") else "public"
        data["tags"].append(
            {"id": f"t{number}", "slug": slug, "name": name, "visibility": visibility}
        )
    for number, name in enumerate(AUTHORS):
        portrait = f"__GHOST_URL__/content/images/2014/pic-{number}.jpg"
        user = {
            "id": f"u{number}",
            "name": name,
            "slug": f"author-{number}",
            "bio": sentence(number),
        }
        data["users"].append(user | {"profile_image": portrait, "website": "https://a.example/"})
    for n in range(1, articles + 1):
        at = BEGINNING + timedelta(hours=7 * n)
        status = {11: "draft", 23: "scheduled", 37: "sent"}.get(n % 50, "published")
        image = f"__GHOST_URL__/content/images/size/w1000/2014/pic-{n % 12}.jpg"
        html = (
            f"<p>{escape(sentence(n))} <strong>{escape(sentence(n + 1))}</strong></p>"
            f'<figure class="kg-card kg-image-card kg-card-hascaption"><img src="{image}" '
            f'class="kg-image" alt="Pic {n}" loading="lazy"><figcaption>Seen <b>{n}</b>'
            f"</figcaption></figure><!--kg-card-begin: html--><hr>"
            f"<!--kg-card-end: html--><ol><li>{n}</li><li>x</li></ol>"
        )
        shown = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        post = {
            "id": f"p{n:06}",
            "title": sentence(n, 6),
            "slug": f"story-{n}",
            "html": html,
            "plaintext": "x",
            "lexical": "{}",
            "feature_image": image.replace("size/w1000/", ""),
            "type": "page" if n % 100 == 99 else "post",
            "status": status,
            "visibility": "paid" if n % 7 == 0 else "public",
            "updated_at": shown,
            "published_at": None if status == "draft" else shown,
            "custom_excerpt": sentence(n + 2, 9),
        }
        data["posts"].append(post)
        meta = {"id": f"m{n}", "post_id": f"p{n:06}", "feature_image_alt": f"Alt {n}"}
        often = n % 5 == 0
        meta |= {"feature_image_caption": f"<i>Caption</i> {n}", "og_image": None}
        meta |= {"meta_title": f"Meta {n}" if often else None}
        data["posts_meta"].append(meta | {"og_title": f"Shared {n}" if often else None})
        for order, tag in enumerate(
            (n % len(CATEGORIES), (n + 1) % len(CATEGORIES), len(CATEGORIES))
        ):
            data["posts_tags"].append(
                {"post_id": f"p{n:06}", "tag_id": f"t{tag}", "sort_order": order}
            )
        data["posts_authors"].append(
            {"post_id": f"p{n:06}", "author_id": f"u{n % len(AUTHORS)}", "sort_order": 0}
        )
    path = folder / "ghost.json"
    document = {"db": [{"meta": {"exported_on": 1, "version": "5.82.0"}, "data": data}]}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Place:
    """A running Herald and the command line beside it."""

    url: str
    token: str
    prefix: str
    mongo_url: str
    sandbox_url: str | None = None

    async def start(self, *words: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services", *map(str, words)),
            *("--url", self.url, "--token", self.token),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def herald(self, *words: str | Path) -> Ended:
        process = await self.start(*words)
        async with asyncio.timeout(120):
            out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def count(self, collection: str = "articles", service: str = "publishing") -> int:
        async with open_client(self.mongo_url) as databases:
            return await databases(f"{self.prefix}_{service}")[collection].count({})

    def client(self) -> HeraldClient:
        return HeraldClient(self.url, self.token)


OpenPlace = Callable[[], Awaitable[Place]]
NOBODY = Subscription("nobody", ("article.*", "identity.*"))


async def _ignore(_: Any) -> None:
    """Where no outlet listens, an event must still arrive somewhere."""


@pytest.fixture
async def open_desk(mongod: Mongod) -> AsyncIterator[OpenPlace]:
    """Opens an empty newsroom that nothing listens to; a second one knows nothing of the first."""
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(open_client(mongod.url))

        async def opened() -> Place:
            prefix, port = f"desk_{new_token()[:8]}", free_port()
            url, clock = f"http://127.0.0.1:{port}", SystemClock()
            settings = PublishingSettings(
                secret_key=new_token(),
                public_url=url,
                publication=DEFAULT_PUBLICATION,
                expected_services=(),
            )
            bus, database = open_bus("memory://"), databases(f"{prefix}_publishing")
            service = publishing.build(settings, database, bus, clock)
            service.subscriptions = [*service.subscriptions, (NOBODY, _ignore)]
            revocations = Revocations(database["revoked_tokens"], clock)
            who = identities(settings, revocations, clock)
            host = Host([service], bus, who, host="127.0.0.1", port=port, grace_seconds=5)
            stack.push_async_callback(host.stop)
            await bus.declare([subscription for subscription, _ in service.subscriptions])
            await host.start()
            token, _, _ = who.issue(new_id(), "Admin", Role.ADMIN, timedelta(hours=1))
            return Place(url, token, prefix, mongod.url)

        yield opened


@pytest.fixture
async def desk(open_desk: OpenPlace) -> Place:
    return await open_desk()


@pytest.fixture
async def whole(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty Herald with every outlet."""
    prefix = f"move_{new_token()[:8]}"
    options = Options(
        data=tmp_path / prefix,
        port=0,
        mongo_url=mongod.url,
        sandbox_port=0,
        settings={"mongo_prefix": prefix},
    )
    async with Stack(options) as stack:
        assert stack.ready is not None
        yield Place(
            stack.ready.url, stack.ready.admin_token, prefix, mongod.url, stack.ready.sandbox_url
        )


@pytest.fixture
def wordpress(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export of so many articles."""
    return lambda articles=ARTICLES: write_wordpress(tmp_path / "wordpress", articles)


@pytest.fixture
def ghost(tmp_path: Path) -> Callable[..., Path]:
    return lambda articles=ARTICLES: write_ghost(tmp_path / "ghost", articles)
