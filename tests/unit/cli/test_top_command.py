"""When ``agentcom top`` cannot draw, it says why and what to type instead."""

from __future__ import annotations

import importlib.util

import pytest

from tests.unit.cli.scripted_hub import Call


def test_away_from_a_terminal_it_names_once(call: Call) -> None:
    done = call("top")
    assert done.status == 2 and "agentcom top --once" in done.err


def test_json_is_refused_and_the_command_that_has_it_is_named(call: Call) -> None:
    done = call("top", "--json")
    assert done.status == 2 and "agentcom status --json" in done.err


def test_without_rich_it_says_what_to_install(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rich" else find(name))
    done = call("top", "--once")
    assert done.status == 1 and "pip install" in done.err


def test_once_without_a_hub_is_unreachable(bare_call: Call) -> None:
    done = bare_call("top", "--once", "--hub", "http://127.0.0.1:1")
    assert done.status == 6 and "no hub answers" in done.err and "agentcom up" in done.err
