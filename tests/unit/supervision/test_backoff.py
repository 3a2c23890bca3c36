"""Pauses before restarts: the arithmetic, and what the supervisor does with them."""

from __future__ import annotations

import pytest

from supervision.actor import Actor
from supervision.backoff import Backoff
from supervision.core_messages import TerminateChildRequest, WhichChildrenRequest
from supervision.spec import ChildSpec, SpecError, Strategy, SupervisorFlags
from supervision.supervisor import child
from supervision.testing import Tree, tree
from tests.unit.supervision.world import World, world

__all__ = ["tree"]

BACKOFF = Backoff(initial_s=1.0, max_s=8.0, jitter=0.0, max_in_a_row=100)


def spec(id_: str, backoff: Backoff = BACKOFF) -> ChildSpec:
    return ChildSpec(id_, "s", backoff=backoff)


def test_correctly_calculate_the_delay() -> None:
    """Case 192: also for a huge number of failures."""
    assert [BACKOFF.pause_s(n) for n in (0, 1, 2, 3, 4, 10_000)] == [1, 2, 4, 8, 8, 8]
    assert Backoff(1, 8, jitter=0.5).pause_s(0, chance=1.0) == 1.5


def test_default_reset_backoff_after_to_average_of_min_and_max_backoff() -> None:
    """Case 190."""
    assert Backoff(2, 8).quiet_s == 5


@pytest.mark.parametrize("bad", [Backoff(0, 1), Backoff(2, 1), Backoff(1, 2, factor=0.5), Backoff(1, 2, jitter=2)])
def test_impossible_numbers_are_refused(bad: Backoff) -> None:
    with pytest.raises(SpecError, match="invalid_backoff"):
        world(Strategy.ONE_FOR_ONE, spec("a", bad))


def test_a_window_that_the_pauses_never_fill_is_refused() -> None:
    """Otherwise nothing would ever give up, and nobody would have said so."""
    flags = SupervisorFlags(max_restarts=3, period_s=5)
    with pytest.raises(SpecError, match="never full"):
        World(flags, [spec("a", Backoff(1, 8))])
    World(flags, [spec("a", Backoff(1, 8, max_in_a_row=10))])
    World(flags, [spec("a", Backoff(0.1, 1))])


class Fragile(Actor):
    """Dies of every message."""

    def on_receive(self, message: object) -> None:
        raise ValueError(message)


def fragile(backoff: Backoff) -> ChildSpec:
    return child(Fragile, name="fragile", backoff=backoff)


def test_restart_after_exponential_backoff(tree: Tree) -> None:
    """Cases 189 and 229."""
    tree.start(SupervisorFlags(max_restarts=100), fragile(BACKOFF))
    for pause_s in (1, 2, 4, 8, 8):
        tree.tell("fragile", "boom")
        assert tree.states() == {"fragile": "restarting"}
        tree.advance(pause_s - 0.01)
        assert tree.states() == {"fragile": "restarting"}
        tree.advance(0.02)
        assert tree.states() == {"fragile": "running"}


def test_reset_exponential_backoff_count_after_reset_timeout(tree: Tree) -> None:
    """Case 190."""
    tree.start(SupervisorFlags(max_restarts=100), fragile(BACKOFF))
    for _ in range(3):
        tree.tell("fragile", "boom")
        tree.advance(1.0)
        if tree.states()["fragile"] == "running":
            tree.advance(BACKOFF.quiet_s)
        else:
            pytest.fail("the pause did not begin anew")


def test_fail_if_reaching_maximum_number_of_restarts_with_backoff(tree: Tree) -> None:
    """Case 191."""
    top = tree.start(SupervisorFlags(max_restarts=100), fragile(Backoff(1, 1, jitter=0, max_in_a_row=2)))
    for _ in range(3):
        tree.tell("fragile", "boom")
        tree.advance(1.1)
    assert not top.is_alive()


def test_an_order_to_stop_wins_over_a_pause(tree: Tree) -> None:
    top = tree.start(SupervisorFlags(max_restarts=100), fragile(BACKOFF))
    tree.tell("fragile", "boom")
    top.ask(TerminateChildRequest("fragile"), timeout=5)
    tree.advance(100)
    assert tree.states() == {"fragile": "none"}
    tree.revive("fragile")
    assert tree.states() == {"fragile": "running"}
    assert len(top.ask(WhichChildrenRequest(), timeout=5)) == 1
