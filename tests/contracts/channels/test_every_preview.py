"""What the preview shows is what is sent, byte for byte; and the link's parameters are the account's, whichever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from services.social.channels.campaign import LinkingSettings
from services.social.domain.policy import Kind, Manner, Policy, choices
from services.social.previews import Previews
from shared.contracts.articles import Correction
from shared.contracts.outlets import DeliveryState, Operation

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import


def previews(desk: SocialDesk) -> Previews:
    return Previews(
        desk.ledger, desk.accounts, desk.outside.channel, timedelta(hours=6), desk.cards
    )


def standing(desk: SocialDesk, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The instant goes into a payload, so it stands still between the preview and the sending."""
    instant: datetime = desk.clock.now()
    monkeypatch.setattr(desk.clock, "now", lambda: instant)
    return instant


def canonical(payload: Any) -> bytes:
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


async def test_the_preview_is_what_is_sent(
    desk: SocialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = standing(desk, monkeypatch)
    article = desk.article(
        headline="عودة العبّارة 👩🏽‍🚒 & <b> *ferry* \\ #quay", tags=("Köln", "2026")
    )
    [line] = await previews(desk).show(article, now)
    await desk.take_in(article)
    await desk.work()
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.CONFIRMED
    assert line["delivery"] == delivery.id
    assert canonical(line["payload"]) == canonical(delivery.payload["body"])
    [post] = desk.posts()
    assert post.text == line["text"]
    assert line["length"] <= line["limit"]

    notice = Correction(at=now, kind="correction", text="At nine 👨‍❤️‍👨, not <ten>.")
    fixed = article.model_copy(update={"revision": 3, "corrections": (notice,)})
    [line] = await previews(desk).show(fixed, now)
    await desk.take_in(fixed)
    await desk.work()
    edit = await desk.only(fixed, Operation.EDIT)
    assert edit.state is DeliveryState.CONFIRMED
    assert canonical(line["payload"]) == canonical(edit.payload["body"])
    assert line["text"] in {post.text for post in desk.fake.visible()}


async def test_the_preview_of_a_repost_is_the_post_at_its_end(
    desk: SocialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Manner.REPOST not in choices(desk.spec.capabilities, Kind.MINOR):
        return
    await desk.accounts.set_policy(f"{desk.spec.name}/main", Policy(minor=Manner.REPOST))
    now = standing(desk, monkeypatch)
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    changed = article.model_copy(update={"revision": 3, "headline": "Ferry sails at nine"})
    [line] = await previews(desk).show(changed, now)
    assert (line["effect"], line["operation"]) == ("reposted", "edit")
    await desk.take_in(changed)
    await desk.work()
    [again] = [one for one in await desk.ledger.of_article(article.id) if one.step == 2]
    assert again.state is DeliveryState.CONFIRMED
    assert canonical(line["payload"]) == canonical(again.payload["body"])
    assert line["text"] in {post.text for post in desk.fake.visible()}


@pytest.mark.parametrize(
    "campaign",
    [
        {"utm_source": "", "utm_medium": "", "utm_campaign": ""},
        {"utm_source": "fedi & co".replace(" ", "+"), "utm_campaign": "wahl-2026|ü"},
    ],
)
async def test_interrupted_posts_are_found_whatever_the_campaign(
    desk: SocialDesk, campaign: dict[str, str]
) -> None:
    account_id = f"{desk.spec.name}/main"
    settings = await desk.accounts.settings(account_id)
    if issubclass(desk.spec.settings, LinkingSettings):
        settings |= campaign
    await desk.accounts.remove(account_id)
    await desk.accounts.add(desk.spec.name, "main", settings)
    await desk.accounts.collection.update_one(
        {"_id": account_id}, {"$set": {"created_at": desk.clock.now() - timedelta(days=1)}}
    )
    desk.outside.forget(account_id)
    url = f"{desk.url}/articles/ferry?edition=north%20quay&v=1+2"
    article = desk.article(url=url)
    desk.fake.faults["disconnect_after"] = 1
    await desk.take_in(article)
    await desk.work_it_off(article)
    [post] = desk.posts()
    places = (post.text, post.link or "", (post.card or {}).get("uri", ""))
    assert any(url in place for place in places)
    able = desk.spec.capabilities
    if able.lookup or able.idempotent:
        assert (await desk.only(article)).state is DeliveryState.CONFIRMED
    if not any(campaign.values()):
        assert not any("utm_" in place for place in places)
    elif issubclass(desk.spec.settings, LinkingSettings):
        assert any("utm_campaign=wahl-2026%7C%C3%BC" in place for place in places)
