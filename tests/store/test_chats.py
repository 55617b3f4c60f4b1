"""router.store.chats: each line once, in order, and never silently gone."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from router.core.chat import MAX_LINES, SYSTEM_LINES, Line
from router.errors import Refused
from router.store import keys
from router.store.chats import Chats

NOW = 1_700_000_000_000


@pytest.fixture
def chats(redis: Redis) -> Chats:
    return Chats(redis, lambda: NOW)


async def test_offsets_are_1_2_3_and_lines_come_back_as_they_were(chats: Chats) -> None:
    assert await chats.append("talk-0001", "shopper", "m-000001", "こんにちは") == 1
    assert await chats.append("talk-0001", "agent", "m-000001", "hello", "Ann") == 2
    history = await chats.history("talk-0001", 0)
    assert history.lines == [
        Line(1, "shopper", "m-000001", "こんにちは", NOW, None),
        Line(2, "agent", "m-000001", "hello", NOW, "Ann"),
    ]
    assert (history.missing, history.newest, await chats.newest("talk-0001")) == (None, 2, 2)


async def test_a_message_sent_again_is_stored_once(chats: Chats) -> None:
    offsets = await asyncio.gather(
        *(chats.append("talk-0001", "shopper", f"m-{n % 5:06}", "again and again") for n in range(50))
    )
    assert sorted(set(offsets)) == [1, 2, 3, 4, 5]
    history = await chats.history("talk-0001", 0)
    assert [line.offset for line in history.lines] == [1, 2, 3, 4, 5]
    assert len({line.mid for line in history.lines}) == 5


async def test_no_card_number_is_stored_not_even_in_parts(chats: Chats, redis: Redis) -> None:
    card = "4111111111111111"
    assert await chats.append("talk-0001", "shopper", "m-000001", f"カードは{card}です") == 1
    for number, part in enumerate(("4111 1111", "了解です", "1111", "１１１１ です")):
        author = "agent" if number == 1 else "shopper"
        await chats.append("talk-0001", author, f"m-00001{number}", part)
    texts = [line.text for line in (await chats.history("talk-0001", 0)).lines]
    assert texts == ["カードは•••• 1111です", "4111 1111", "了解です", "1111", "•••• です"]
    stored = str(await redis.xrange(keys.chat("talk-0001"))).encode()
    assert card.encode() not in stored


async def test_a_number_from_two_processes_at_once_does_not_become_whole(redis: Redis) -> None:
    """Each of them has looked before the other has written; the script lets only one of them through."""
    first, second = Chats(redis, lambda: NOW), Chats(redis, lambda: NOW)
    for turn in range(10):
        cid = f"talk-{turn:04}"
        await asyncio.gather(
            first.append(cid, "shopper", "m-000001", "4111 1111"),
            second.append(cid, "shopper", "m-000002", "1111 1111"),
        )
        said = " ".join(line.text for line in (await first.history(cid, 0)).lines)
        assert said in ("4111 1111 ••••", "1111 1111 4111 1111")


async def test_history_goes_on_after_an_offset(chats: Chats) -> None:
    for n in range(1, 8):
        await chats.append("talk-0001", "shopper", f"m-{n:06}", str(n))
    assert [line.text for line in (await chats.history("talk-0001", 5)).lines] == ["6", "7"]
    assert (await chats.history("talk-0001", 7)).lines == []
    assert (await chats.history("talk-none", 3)).missing is None


async def test_a_full_conversation_refuses_people_and_can_still_say_that_it_closed(chats: Chats) -> None:
    for n in range(MAX_LINES):
        await chats.append("talk-0001", "shopper", f"m-{n:06}", "x")
    with pytest.raises(Refused, match="full"):
        await chats.append("talk-0001", "agent", "m-last-1", "one more")
    assert await chats.append("talk-0001", "shopper", "m-000003", "x") == 4, "what was stored is still known"
    for n in range(SYSTEM_LINES):
        await chats.append("talk-0001", "system", f"system-{n}", "closed")
    with pytest.raises(Refused, match="full"):
        await chats.append("talk-0001", "system", "system-last", "closed")


async def test_lines_that_were_trimmed_away_are_named(chats: Chats, redis: Redis) -> None:
    for n in range(1, 7):
        await chats.append("talk-0001", "shopper", f"m-{n:06}", str(n))
    await redis.xtrim(keys.chat("talk-0001"), minid="4-0", approximate=False)
    assert (await chats.history("talk-0001", 1)).missing == (2, 3)
    await redis.xtrim(keys.chat("talk-0001"), maxlen=0, approximate=False)
    assert (await chats.history("talk-0001", 4)).missing == (5, 6)


async def test_conversations_end_a_day_after_their_last_line(chats: Chats, redis: Redis) -> None:
    await chats.append("talk-0001", "shopper", "m-000001", "x")
    for key in (keys.chat("talk-0001"), keys.chat_ids("talk-0001")):
        assert 0 < await redis.ttl(key) <= keys.CHAT_TTL_S


async def test_without_a_given_time_the_servers_own_is_used(redis: Redis) -> None:
    await Chats(redis, lambda: 0).append("talk-0001", "shopper", "m-000001", "x")
    (line,) = (await Chats(redis, lambda: 0).history("talk-0001", 0)).lines
    seconds, _ = await redis.time()
    assert abs(line.at_ms / 1000 - seconds) < 5
