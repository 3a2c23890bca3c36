"""Alarms: raised once, kept while they hold, cleared with hysteresis; and the watcher that raises them about real actors."""

from __future__ import annotations

from typing import Any

import pykka

from supervision.actor import Actor
from supervision.alarms import ABANDONED, INTERPRETER_STALLED, LONG_HANDLER, MAILBOX_HIGH, AlarmOptions, Alarms, Sight
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from supervision.watcher import ReadAlarms, Watcher

OPTIONS = AlarmOptions(long_handler_s=5, mailbox_high=100, mailbox_low=10, stall_s=1, stall_clear_s=30)


def ids(alarms: Alarms) -> list[tuple[str, str]]:
    return [(alarm.id, alarm.subject) for alarm in alarms.active]


def test_a_long_handler_is_raised_once_and_keeps_its_beginning() -> None:
    alarms = Alarms(OPTIONS)
    assert alarms.look([Sight("a", 4.9, "Work", 0)], 0, 0, 100) == ([], [])
    raised, _ = alarms.look([Sight("a", 5.0, "Work", 0)], 0, 0, 101)
    assert [alarm.id for alarm in raised] == [LONG_HANDLER]
    again, _ = alarms.look([Sight("a", 7.0, "Work", 0)], 0, 0, 103)
    assert again == [] and alarms.active[0].since_s == 101 and "7 s" in alarms.active[0].message
    _, cleared = alarms.look([Sight("a", None, None, 0)], 0, 0, 104)
    assert [alarm.id for alarm in cleared] == [LONG_HANDLER] and alarms.active == ()


def test_a_full_mailbox_clears_only_below_the_lower_mark() -> None:
    alarms = Alarms(OPTIONS)
    for waiting, is_on in [(99, False), (100, True), (50, True), (10, True), (9, False), (50, False)]:
        alarms.look([Sight("a", None, None, waiting)], 0, 0, 1)
        assert bool(alarms.active) is is_on, waiting


def test_alarms_of_an_actor_end_with_it() -> None:
    alarms = Alarms(OPTIONS)
    alarms.look([Sight("a", 9.0, "Work", 500)], 0, 0, 1)
    assert {id_ for id_, _ in ids(alarms)} == {LONG_HANDLER, MAILBOX_HIGH}
    _, cleared = alarms.look([], 0, 0, 2)
    assert len(cleared) == 2


def test_a_stall_stays_visible_for_a_while() -> None:
    alarms = Alarms(OPTIONS)
    alarms.look([], 0, 1.5, 10)
    alarms.look([], 0, 0.0, 39)
    assert ids(alarms) == [(INTERPRETER_STALLED, "interpreter")]
    alarms.look([], 0, 0.0, 40)
    assert alarms.active == ()


def test_abandoned_handlers_are_an_alarm_until_they_return() -> None:
    alarms = Alarms(OPTIONS)
    alarms.look([], 2, 0, 1)
    assert ids(alarms) == [(ABANDONED, "threads")]
    alarms.look([], 0, 0, 2)
    assert alarms.active == ()


class Runner(Actor):
    def on_receive(self, message: Any) -> Any:
        return message(self)


def test_the_watcher_sees_a_real_actor_hang_and_recover() -> None:
    runtime = Runtime(clock=ManualClock())
    watcher = runtime.spawn(Watcher, OPTIONS)
    stuck = runtime.spawn(Runner, name="stuck")
    entered, release = pykka.ThreadingFuture[None](), pykka.ThreadingFuture[None]()

    def hang(_: Runner) -> None:
        entered.set(None)
        release.get(timeout=10)

    stuck.tell(hang)
    entered.get(timeout=5)
    clock = runtime.clock
    assert isinstance(clock, ManualClock)
    for _ in range(6):
        clock.advance(1)
        runtime.timers.fire_due()
        watcher.ask(ReadAlarms(), timeout=5)
    [alarm] = watcher.ask(ReadAlarms(), timeout=5)
    assert (alarm.id, alarm.subject) == (LONG_HANDLER, "stuck")
    release.set(None)
    runtime.settle()
    runtime.advance(1)
    assert watcher.ask(ReadAlarms(), timeout=5) == ()
    runtime.close()
