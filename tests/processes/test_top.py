"""``agentcom top`` on a real terminal, against a real hub."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.demo import Demo
from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.terminal import ALTERNATE_OFF, ALTERNATE_ON, Terminal
from tests.harness.waiting import wait_for


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("top") / "data") as started:
        yield started


def shows(terminal: Terminal, *words: str) -> None:
    wait_for(lambda: all(word in terminal.screen() for word in words), 20, f"{words} on the screen")


def queued(hub: Hub) -> str:
    return f"{hub.snapshot()['queue']['by_status']['queued']:,} queued"


def test_it_follows_the_hub_pauses_sorts_resizes_and_gives_the_terminal_back(demo: Demo) -> None:
    with Terminal("top", "--hub", demo.url) as terminal:
        shows(terminal, "DEMO", "● live", "WARNING", "Agent offline: gpu-1", queued(demo), "● working", "Dead letters")
        assert ALTERNATE_ON in terminal.raw
        demo.submit("Waits for the lost one", needed_capabilities=["gpu"])
        shows(terminal, after_one := queued(demo))
        terminal.type("p")
        shows(terminal, "paused", "p go on")
        demo.submit("Comes while it is paused", needed_capabilities=["gpu"])
        shows(terminal, "newer", after_one)
        terminal.type("p")
        shows(terminal, "● live", queued(demo))
        terminal.type("s")
        shows(terminal, "sort: name")
        screen = terminal.screen()
        names = [line.split()[1] for line in screen.splitlines() if "● working" in line]
        assert len(names) > 5 and names == sorted(names)
        terminal.resize(70, 24)
        wait_for(lambda: max(map(len, terminal.screen().splitlines())) <= 70, 20, "a screen for the new size")
        assert len(terminal.screen().splitlines()) <= 24
        shows(terminal, queued(demo), "q quit")
        terminal.type("q")
        assert terminal.process.wait(timeout=10) == 0
        wait_for(lambda: ALTERNATE_OFF in terminal.raw, 5)
        assert terminal.settings() == terminal.before
        assert "Traceback" not in terminal.raw


def test_a_lost_hub_looks_lost_and_comes_back(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", web_processes=1) as hub:
        task_id = hub.submit("Was there before")
        with Terminal("top", "--hub", hub.url) as terminal:
            shows(terminal, "● live", "1 queued")
            hub.stop()
            shows(
                terminal, "disconnected", "Connection lost at", "Showing what was true then", "Next try in", "1 queued"
            )
            hub.start()
            hub.post(f"/api/tasks/{task_id}/cancel")
            terminal.type("r")
            shows(terminal, "● live", "0 queued")
            assert "Connection lost" not in terminal.screen()
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.process.wait(timeout=10) == 130
            assert terminal.settings() == terminal.before


def test_without_a_hub_it_says_how_to_start_one() -> None:
    with Terminal("top", "--hub", "http://127.0.0.1:1") as terminal:
        shows(terminal, "No hub answers there", "agentcom up", "disconnected")
        terminal.type("q")
        assert terminal.process.wait(timeout=10) == 0


def test_once_prints_one_picture(demo: Demo) -> None:
    with Terminal("top", "--hub", demo.url, "--once", width=100) as terminal:
        assert terminal.process.wait(timeout=20) == 0
        wait_for(lambda: "Done last" in terminal.raw, 5)
        assert ALTERNATE_ON not in terminal.raw and "DEMO" in terminal.raw


def test_text_of_a_task_cannot_steer_the_terminal(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", web_processes=1) as hub:
        agent = Socket(f"{hub.ws_url}/ws")
        agent.ask(type="identify", agent_id="a", token=hub.agent_token("a"))
        task_id = hub.submit("\u202e<img onerror>", max_retries=1)
        agent.hear_type("task_assign")
        agent.ask(type="task_failed", task_id=task_id, generation=1, error="\x1b]0;owned\x07\x1b[2Jboom")
        with Terminal("top", "--hub", hub.url, "--once", width=160) as terminal:
            assert terminal.process.wait(timeout=20) == 0
            wait_for(lambda: "Done last" in terminal.raw, 5)
            assert r"\u202e<img onerror>" in terminal.raw and r"\x1b]0;owned\x07\x1b[2Jboom" in terminal.raw
            assert not any(bad in terminal.raw for bad in ("\x1b[2J", "\x07", "\u202e", "\x1b]0"))
