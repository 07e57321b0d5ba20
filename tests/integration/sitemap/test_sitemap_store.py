"""The guards that let two replicas work at once: entries are compared before replaced, builds are ordered."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.sitemap.domain.documents import Body
from services.sitemap.domain.entry import FEED_OUTLET, NEWS_OUTLET, Entry, render_entry
from services.sitemap.store import DocumentStore, EntryStore
from shared.contracts.articles import Article
from shared.runtime.clock import ManualClock
from shared.storage.client import Database
from shared.web.conditional import Prepared

pytestmark = pytest.mark.integration

Make = Callable[..., Article]


def entry(article: Article, previous: Entry | None = None) -> Entry:
    within = {NEWS_OUTLET: True, FEED_OUTLET: True}
    return render_entry(article, previous, fresh=True, within=within, publication_language="en")


async def test_an_entry_is_replaced_only_by_who_saw_it(
    database: Database, make_article: Make
) -> None:
    store = EntryStore(database)
    one = entry(make_article(1, 1))
    assert await store.put(one, None)
    assert not await store.put(entry(make_article(1, 2)), None)  # another replica was first
    two = entry(make_article(1, 2), one)
    assert await store.put(two, one)
    assert not await store.put(entry(make_article(1, 3, noindex=True), one), one)
    assert await store.get(two.article_id) == two
    assert await store.put(two, two)  # a replay finds what it wrote


async def test_a_late_build_never_overwrites_a_newer_one(
    database: Database, clock: ManualClock
) -> None:
    store = DocumentStore(database["documents"])
    early, late = await store.raise_seq("feed"), await store.raise_seq("feed")

    def built(text: bytes) -> Prepared:
        return Prepared(text, gzip.compress(text), text.decode(), clock.now(), "text/plain")

    await store.write("feed", late, built(b"new"), Body(b"new"))
    await store.write("feed", early, built(b"old"), Body(b"old"))
    kept = await store.read("feed")
    assert kept
    assert kept.body == b"new"

    again = replace(built(b"new"), modified=clock.now() + timedelta(hours=1))
    await store.write("feed", await store.raise_seq("feed"), again, Body(b"new", entries=2))
    stamp = await store.stamp("feed")
    assert stamp
    assert (stamp.built_seq, stamp.seq, stamp.entries) == (3, 3, 2)
    assert stamp.modified == kept.modified


async def test_settling_leaves_what_changed_since(database: Database, make_article: Make) -> None:
    store = EntryStore(database)
    one = entry(make_article(1, 1))
    await store.put(one, None)
    seen = await store.unlisted(10)
    await store.put(entry(make_article(1, 2, noindex=True), one), one)
    await store.settle(seen)
    assert [(u.revision, u.listed) for u in await store.unlisted(10)] == [(2, False)]
    await store.settle(await store.unlisted(10))
    assert await store.unlisted(10) == []


async def test_a_place_once_taken_stays(database: Database, make_article: Make) -> None:
    store = EntryStore(database)
    ids = []
    for number in range(1, 6):
        await store.put(entry(make_article(number)), None)
        ids.append(make_article(number).id)
    await store.place(ids[:3], 2)
    assert [await store.files([id]) for id in ids[:3]] == [{1}, {1}, {2}]
    await store.place(ids[:4], 2)  # another replica's view of the same work
    assert [await store.files([id]) for id in ids[:3]] == [{1}, {1}, {2}]
    assert await store.files([ids[3]]) == {4}
