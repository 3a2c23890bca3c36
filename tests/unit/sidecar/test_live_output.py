"""Lines of a running task: in order, numbered, bounded, paced, and never in the way of a result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sidecar import live_output
from sidecar.live_output import FRAME_BYTES, LAST_BYTES, WAITING_BYTES, Lines, LineSplitter, LiveOutput


class Hub:
    """What was delivered. ``is_ready`` False: the connection is busy or gone."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, Lines]] = []
        self.is_ready = True

    def deliver(self, seq: int, lines: Lines) -> bool:
        if self.is_ready:
            self.frames.append((seq, list(lines)))
        return self.is_ready

    @property
    def lines(self) -> list[str]:
        return [text for _, lines in self.frames for _, text in lines]

    def check_numbers(self) -> int:
        """No number twice and none back; the last one."""
        last = 0
        for seq, lines in self.frames:
            assert seq > last and lines
            last = seq + len(lines) - 1
        return last


Scene = Callable[[Hub, LiveOutput], Awaitable[None]]


def played(scene: Scene) -> Callable[[pytest.MonkeyPatch], None]:
    def run(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_output, "PERIOD_S", 0.01)
        monkeypatch.setattr(live_output, "UNENDED_S", 0.05)

        async def go() -> None:
            hub = Hub()
            await scene(hub, LiveOutput(hub.deliver))

        asyncio.run(go())

    run.__name__ = scene.__name__  # type: ignore[attr-defined]
    return run


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@played
async def test_lines_of_both_streams_go_together_in_their_order(hub: Hub, live: LiveOutput) -> None:
    live.feed("out", b"one\ntwo\n")
    live.feed("err", b"oh\n")
    live.feed("out", b"three\n")
    assert hub.frames == [], "a moment is waited for more"
    await until(lambda: hub.frames)
    assert hub.frames == [(1, [("out", "one"), ("out", "two"), ("err", "oh"), ("out", "three")])]
    live.finish()


@played
async def test_a_question_without_a_line_end_is_shown_after_a_while(hub: Hub, live: LiveOutput) -> None:
    live.feed("out", b"Really? [y/n] ")
    await until(lambda: hub.frames)
    live.feed("out", b"y\n")
    live.finish()
    assert hub.lines == ["Really? [y/n] ", "y"]


@played
async def test_what_cannot_be_sent_is_forgotten_oldest_first_and_leaves_a_gap(hub: Hub, live: LiveOutput) -> None:
    hub.is_ready = False
    for number in range(1, 50_001):
        live.feed("out", f"line {number} {'x' * 60}\n".encode())
    assert live._size <= WAITING_BYTES
    hub.is_ready = True
    await until(lambda: hub.frames)
    live.finish()
    assert hub.frames[0][0] > 30_000
    assert hub.check_numbers() == 50_000
    for seq, lines in hub.frames:
        assert lines[0][1].startswith(f"line {seq} ")
        assert sum(len(text) for _, text in lines) <= FRAME_BYTES


@played
async def test_the_end_of_the_output_goes_before_the_result_and_not_more_than_it_may_wait_for(
    hub: Hub, live: LiveOutput
) -> None:
    live.feed("out", b"".join(b"%06d %s\n" % (number, b"y" * 93) for number in range(20_000)))
    live.finish()
    assert hub.lines[-1].startswith("019999 ")
    assert sum(len(text) for text in hub.lines) <= LAST_BYTES
    assert hub.check_numbers() == 20_000


@played
async def test_a_busy_connection_costs_the_end_of_the_output_and_never_the_result(hub: Hub, live: LiveOutput) -> None:
    hub.is_ready = False
    live.feed("out", b"never seen\n")
    live.finish()
    hub.is_ready = True
    await asyncio.sleep(0.05)
    assert hub.frames == []


@played
async def test_a_flood_is_sent_at_a_bounded_rate(hub: Hub, live: LiveOutput) -> None:
    started = asyncio.get_running_loop().time()
    for _ in range(60):  # without a bound nearly four megabytes would go
        live.feed("out", (b"z" * 99 + b"\n") * 2000)
        await asyncio.sleep(0.01)
    passed = asyncio.get_running_loop().time() - started
    sent = sum(len(text) for text in hub.lines)
    assert sent <= live_output.BURST_BYTES + live_output.BYTES_PER_S * passed + FRAME_BYTES
    live.finish()


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\nc", b"\n"], ["ab", "c"]),
        ([b"windows\r\n"], ["windows"]),
        ([b"10%\r20%\r100%\n"], ["100%"]),
        ([b"\xff\xfe broken \xe2\x82\n"], ["\ufffd\ufffd broken \ufffd"]),
        (["é".encode()[:1], "é".encode()[1:] + b"\n"], ["é"]),
        ([b"\x1b[31mred\x1b[0m \x1b[2K\x07\n"], ["\x1b[31mred\x1b[0m \ufffd"]),
        ([b"\n\n"], ["", ""]),
    ],
)
def test_bytes_become_lines_that_are_safe_to_show(chunks: list[bytes], lines: list[str]) -> None:
    splitter = LineSplitter()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.take_rest() == []


def test_a_line_without_an_end_does_not_grow_without_an_end() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(100) for line in splitter.feed(b"w" * 10_000)]
    assert lines and max(map(len, lines)) <= 16_384
    assert len(splitter._rest) <= 4 * 16_384
