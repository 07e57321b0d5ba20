"""The contract of a channel that counts: what people did is read back, and what is gone is told apart."""

from __future__ import annotations

from typing import Any

import pytest

from services.social.channels import discover
from services.social.channels.base import Intent, Posted
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import AuthDead, GiveUp, TryAgain

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

PEOPLE = {"likes": 7, "reposts": 3, "replies": 2, "quotes": 1, "shares": 4, "views": 90}


COUNTING = sorted(name for name, spec in discover().items() if spec.capabilities.counts)
counts = pytest.mark.parametrize("desk", COUNTING, indirect=True)


async def _channel(desk: SocialDesk) -> Any:
    return await desk.outside.channel(f"{desk.spec.name}/main")


async def _posted(desk: SocialDesk, number: int = 1) -> Posted:
    slug = f"quay-{number}"
    article = desk.article(
        slug=slug, url=f"{desk.url}/articles/{slug}", headline=f"Quay {number} reopens"
    )
    channel = await _channel(desk)
    intent = Intent(
        key=f"k{number}", operation=Operation.POST, article=article, now=desk.clock.now()
    )
    posted: Posted = await channel.post(await channel.compose(intent))
    return posted


async def test_only_a_channel_that_says_so_counts(desk: SocialDesk) -> None:
    channel, able = await _channel(desk), desk.spec.capabilities
    assert hasattr(channel, "counts") is able.counts
    assert hasattr(desk.fake, "react") is able.counts
    assert 1 <= able.counts_batch <= 100


@counts
async def test_what_people_did_is_read_as_the_network_names_it(desk: SocialDesk) -> None:
    posted, channel = await _posted(desk), await _channel(desk)
    before = await channel.counts([posted])
    assert set(before) == {posted.remote_id}
    assert not any(before[posted.remote_id].model_dump(exclude_none=True).values())
    (visible,) = desk.fake.visible()
    desk.fake.react(visible.id, **PEOPLE)
    desk.fake.react(visible.id, likes=1)
    told = (await channel.counts([posted]))[posted.remote_id].model_dump(exclude_none=True)
    assert told["likes"] == 8
    assert told == {
        name: value for name, value in (PEOPLE | {"likes": 8}).items() if name in told
    } | {name: 0 for name in told if name not in PEOPLE}
    assert len(desk.fake.creations()) == 1


@counts
async def test_a_batch_tells_each_from_the_others(desk: SocialDesk) -> None:
    channel, batch = await _channel(desk), min(desk.spec.capabilities.counts_batch, 4)
    posts = [await _posted(desk, number) for number in range(batch)]
    by_url = {post.url: post for post in posts}
    for visible in desk.fake.visible():
        number = posts.index(by_url[visible.url])
        desk.fake.react(visible.id, likes=number + 1)
    told = await channel.counts(posts)
    assert [told[post.remote_id].likes for post in posts] == list(range(1, batch + 1))


@counts
async def test_a_post_that_is_gone_is_none_and_spoils_no_other(desk: SocialDesk) -> None:
    channel, batch = await _channel(desk), desk.spec.capabilities.counts_batch
    gone = await _posted(desk, 1)
    await channel.delete(gone)
    assert await channel.counts([gone]) == {gone.remote_id: None}
    if batch == 1:
        return
    there = await _posted(desk, 2)
    told = await channel.counts([gone, there])
    assert told[gone.remote_id] is None
    assert isinstance(told[there.remote_id], Counts)


@counts
async def test_a_post_that_never_was_is_not_there(desk: SocialDesk) -> None:
    channel, posted = await _channel(desk), await _posted(desk)
    last = posted.remote_id[-1]
    never = posted.model_copy(
        update={"remote_id": posted.remote_id[:-1] + ("3" if last == "2" else "2")}
    )
    assert (await channel.counts([never])).get(never.remote_id) is None


@counts
@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("error_before", TryAgain),
        ("error_after", TryAgain),
        ("disconnect_after", TryAgain),
        ("hang_after", TryAgain),
        ("rate_limited", TryAgain),
        ("auth_dead", AuthDead),
        ("refuse", GiveUp),
    ],
)
async def test_a_failure_is_never_a_doubt(
    desk: SocialDesk, fault: str, raised: type[Exception]
) -> None:
    posted, channel = await _posted(desk), await _channel(desk)
    # A read that a kept connection breaks under is asked once more by aiohttp itself.
    desk.fake.faults[f"counts:{fault}"] = 2 if fault == "disconnect_after" else 1
    with pytest.raises(raised) as caught:
        await channel.counts([posted])
    assert desk.fake.faults[f"counts:{fault}"] == 0, "the fault never struck"
    if fault == "rate_limited":
        assert caught.value.after > 0
        assert caught.value.whole_account
    assert set(await channel.counts([posted])) == {posted.remote_id}


@counts
async def test_a_bad_token_reads_nothing(desk: SocialDesk) -> None:
    posted = await _posted(desk)
    settings = desk.fake.account(f"{desk.url}/network")
    for name in ("access_token", "token", "app_password"):
        if name in settings:
            settings[name] = "xoxb-not-the-one" if name == "token" else "not-the-one"
    await desk.accounts.add(desk.spec.name, "wrong", settings)
    channel = await desk.outside.channel(f"{desk.spec.name}/wrong")
    with pytest.raises(AuthDead):
        await channel.counts([posted])
