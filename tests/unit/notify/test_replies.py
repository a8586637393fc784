"""What a mail server answers, however it is cut into pieces on its way."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.replies import LONGEST_REPLY, Replies, Reply

LINES = b"250-mail.example\r\n250-SIZE 100\r\n250 ok \xc3\xbc\r\n354\r\n550 5.1.1 no such\n"
READ = [Reply(250, "mail.example SIZE 100 ok ü"), Reply(354, ""), Reply(550, "5.1.1 no such")]


def fed(*chunks: bytes, seconds: float = 60.0) -> Replies:
    replies = Replies(asyncio.get_running_loop(), seconds)
    for chunk in chunks:
        replies.data_received(chunk)
    return replies


@given(cuts=st.lists(st.integers(0, len(LINES)), max_size=8))
def test_pieces_of_any_size_are_the_same_replies(cuts: list[int]) -> None:
    async def run() -> list[Reply]:
        places = [0, *sorted(cuts), len(LINES)]
        return await fed(*(LINES[start:end] for start, end in pairwise(places))).take(3)

    assert asyncio.run(run()) == READ


async def test_whoever_waits_is_woken_once_all_of_it_is_there() -> None:
    replies = fed()
    waiting = asyncio.create_task(replies.take(2))
    await asyncio.sleep(0)
    replies.data_received(b"250 one\r\n25")
    await asyncio.sleep(0)
    assert not waiting.done()
    replies.data_received(b"0 two\r\n250 three\r\n")
    assert await waiting == [Reply(250, "one"), Reply(250, "two")]
    assert await replies.take(1) == [Reply(250, "three")]


@pytest.mark.parametrize(
    "said",
    [b"hello\r\n", b"\r\n", b"2x0 ok\r\n", b"250 " + b"x" * LONGEST_REPLY, b"250-begins\r\n"],
)
async def test_server_out_of_step_ends_the_session(said: bytes) -> None:
    replies = fed(said, b"250-more\r\n" * 2000)
    with pytest.raises(ValueError, match=r"invalid literal|too long"):
        await replies.take(1)
    assert replies.over


async def test_replies_that_came_before_the_end_are_taken_first() -> None:
    replies = fed(b"250 one\r\n")
    replies.eof_received()
    assert not replies.over
    assert await replies.take(1) == [Reply(250, "one")]
    assert replies.over
    with pytest.raises(ConnectionResetError):
        await replies.take(1)


async def test_lost_connection_wakes_whoever_waits() -> None:
    replies = fed()
    waiting = asyncio.create_task(replies.take(1))
    await asyncio.sleep(0)
    replies.connection_lost(BrokenPipeError("gone"))
    with pytest.raises(BrokenPipeError):
        await waiting


async def test_silent_server_is_not_waited_for_for_ever() -> None:
    replies = fed(b"250 one\r\n", seconds=0.05)
    assert await replies.take(1) == [Reply(250, "one")]
    with pytest.raises(TimeoutError):
        await replies.take(1)


async def test_each_wait_has_its_whole_time() -> None:
    """The one timer fires for the first wait, and must not cut the second one short."""
    replies, loop = fed(seconds=0.3), asyncio.get_running_loop()
    loop.call_later(0.2, replies.data_received, b"250 one\r\n")
    loop.call_later(0.4, replies.data_received, b"250 two\r\n")
    assert await replies.take(1) == [Reply(250, "one")]
    assert await replies.take(1) == [Reply(250, "two")]
    with pytest.raises(TimeoutError):
        await replies.take(1)


async def test_silence_after_an_answer_ends_too() -> None:
    """The timer was set for the first wait, which was answered; it must look again for the second one."""
    replies, loop = fed(seconds=0.2), asyncio.get_running_loop()
    loop.call_later(0.1, replies.data_received, b"250 one\r\n")
    assert await replies.take(1) == [Reply(250, "one")]
    waiting = asyncio.create_task(replies.take(1))
    done, _ = await asyncio.wait({waiting}, timeout=10)
    assert done == {waiting}
    with pytest.raises(TimeoutError):
        waiting.result()


async def test_wait_that_is_given_up_leaves_the_session_as_it_was() -> None:
    replies = fed()
    waiting = asyncio.create_task(replies.take(1))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    replies.data_received(b"250 late\r\n")
    assert await replies.take(1) == [Reply(250, "late")]
