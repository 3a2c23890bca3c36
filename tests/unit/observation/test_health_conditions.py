"""Each condition at its threshold, on both sides, and how it clears."""

from __future__ import annotations

from typing import Any

import pytest

from actors.health import CRITICAL, OK, WARNING, Facts, HealthModel, HealthOptions, Moment
from actors.rolling import HourTotals
from actors.vocabulary.dashboard import Condition

START_MS = 1_700_000_000_000


def at(seconds: float) -> Moment:
    return Moment(5_000.0 + seconds, START_MS + round(seconds * 1000))


def found(
    model: HealthModel, seconds: float, *, completed: int = 0, failed: int = 0, online: int = 1, **facts: Any
) -> dict[str, Condition]:
    hour = HourTotals(completed=completed, failed=failed)
    health = model.evaluate(Facts(hour=hour, online=online, **facts), at(seconds))
    return {condition.id: condition for condition in health.conditions}


@pytest.fixture
def model() -> HealthModel:
    return HealthModel()


def test_nothing_known_is_ok(model: HealthModel) -> None:
    health = model.evaluate(Facts(), at(0))
    assert (health.status, health.conditions) == (OK, ())


# --- agent_offline --------------------------------------------------------------------------------------------------


def test_an_agent_that_left_cleanly_is_not_offline_lessons_40(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=True, now=at(0))
    assert found(model, 1) == {}


def test_an_agent_that_vanished_is_a_warning_since_it_vanished(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=False, now=at(10))
    assert found(model, 69) == {}
    condition = found(model, 70)["agent_offline"]
    assert condition.severity == WARNING
    assert condition.since == START_MS + 10_000
    assert condition.message == "Agent offline: alpha (1 agent left without a goodbye)"


def test_the_warning_ends_when_the_agent_returns(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=False, now=at(0))
    model.agents.returned("alpha")
    assert found(model, 100) == {}


def test_the_warning_ends_when_an_operator_forgets_the_agent_once(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=False, now=at(0))
    assert model.agents.forget("alpha") == "Alpha"
    assert model.agents.forget("alpha") is None
    assert found(model, 100) == {}


def test_the_warning_ends_after_an_hour_lessons_40(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=False, now=at(0))
    assert "agent_offline" in found(model, 3_599)
    assert found(model, 3_600) == {}


def test_an_agent_from_before_the_start_is_missed_only_after_the_grace(model: HealthModel) -> None:
    model.agents.expect("alpha", "Alpha", gone=at(-100), shown_from_s=at(30).monotonic_s)
    assert found(model, 29.9) == {}
    assert found(model, 30)["agent_offline"].since == START_MS - 100_000


def test_many_lost_agents_are_counted_and_only_some_are_named(model: HealthModel) -> None:
    for number in range(8):
        model.agents.left(f"a{number}", "x", clean=False, now=at(number))
    condition = found(model, 80)["agent_offline"]
    assert condition.count == 8
    assert condition.message == "Agent offline: a0, a1, a2, a3, a4 and 3 more (8 agents left without a goodbye)"
    assert condition.since == START_MS


# --- queue_growing --------------------------------------------------------------------------------------------------


def check(model: HealthModel, *depths: int, begin: int = 0) -> dict[str, Condition]:
    for number, depth in enumerate(depths, start=begin):
        model.queue.observe(depth, at(60 * number))
    return found(model, 60 * (begin + len(depths)))


def test_three_rising_checks_are_a_warning_with_their_depths(model: HealthModel) -> None:
    condition = check(model, 5, 9, 12)["queue_growing"]
    assert condition.severity == WARNING
    assert condition.message == "Queue growing: 5 -> 9 -> 12 tasks at 3 checks 60 s apart"
    assert condition.since == START_MS + 120_000


@pytest.mark.parametrize("depths", [(5, 20), (5, 20, 20), (20, 15, 30), (0, 1, 2), (7, 8, 9), (30, 20, 10)])
def test_a_short_flat_falling_or_tiny_rise_is_fine_lessons_43(model: HealthModel, depths: tuple[int, ...]) -> None:
    assert check(model, *depths) == {}


def test_ten_tasks_at_the_last_check_are_enough(model: HealthModel) -> None:
    assert "queue_growing" in check(model, 8, 9, 10)


def test_one_steady_check_does_not_clear_the_warning_and_three_do_lessons_43_58(model: HealthModel) -> None:
    check(model, 10, 20, 30)
    assert "queue_growing" in check(model, 30, 25, begin=3)
    assert check(model, 25, begin=5) == {}


def test_a_new_rise_starts_the_calm_checks_over(model: HealthModel) -> None:
    check(model, 10, 20, 30)
    check(model, 30, 30, begin=3)
    condition = check(model, 31, 31, 31, begin=5)["queue_growing"]
    assert condition.message.endswith(", 31 at the latest")
    assert condition.since == START_MS + 120_000
    assert check(model, 31, begin=8) == {}


def test_a_burst_within_one_minute_is_one_sample_lessons_61(model: HealthModel) -> None:
    for second in range(59):
        model.queue.observe(second * 100, at(second))
    assert found(model, 59) == {}


# --- failure_rate ---------------------------------------------------------------------------------------------------


def test_more_than_half_of_ten_is_critical_with_its_numbers(model: HealthModel) -> None:
    health = model.evaluate(Facts(hour=HourTotals(completed=4, failed=6)), at(7))
    assert health.status == CRITICAL
    assert health.conditions == (
        Condition(
            "failure_rate",
            CRITICAL,
            "High failure rate: 6/10 attempts failed in the last hour (60%)",
            START_MS + 7_000,
            count=6,
        ),
    )


@pytest.mark.parametrize(("completed", "failed"), [(0, 1), (0, 9), (5, 5), (500, 500), (6, 4)])
def test_one_out_of_one_and_exactly_half_are_fine_lessons_41(model: HealthModel, completed: int, failed: int) -> None:
    assert found(model, 0, completed=completed, failed=failed) == {}


def test_it_stays_until_the_rate_is_below_two_fifths(model: HealthModel) -> None:
    assert found(model, 0, completed=40, failed=60)
    assert found(model, 1, completed=60, failed=60)["failure_rate"].since == START_MS
    assert found(model, 2, completed=60, failed=40)["failure_rate"].since == START_MS
    assert found(model, 3, completed=61, failed=39) == {}
    assert found(model, 4, completed=50, failed=50) == {}


def test_it_stays_on_a_sample_that_hovers_around_the_minimum_and_goes_with_the_sample(model: HealthModel) -> None:
    assert found(model, 0, completed=0, failed=10)
    assert found(model, 1, completed=0, failed=9)
    assert found(model, 2, completed=0, failed=5)
    assert found(model, 3, completed=0, failed=4) == {}
    assert found(model, 4, completed=0, failed=9) == {}


def test_an_empty_window_clears_it(model: HealthModel) -> None:
    assert found(model, 0, failed=10)
    assert found(model, 1) == {}


# --- stuck_tasks ----------------------------------------------------------------------------------------------------


def test_a_task_is_stuck_after_more_than_five_minutes_without_a_sign_of_work(model: HealthModel) -> None:
    model.tasks.working("task-a", at(0).monotonic_s)
    assert found(model, 300) == {}
    condition = found(model, 300.5)["stuck_tasks"]
    assert condition.severity == WARNING
    assert condition.message == ("Stuck tasks: task-a (1 assigned task, no accept or progress for over 300 s)")
    assert condition.since == START_MS + 300_000


def test_progress_frees_a_stuck_task_and_starts_its_time_over(model: HealthModel) -> None:
    model.tasks.working("task-a", at(0).monotonic_s)
    assert "stuck_tasks" in found(model, 400)
    model.tasks.working("task-a", at(410).monotonic_s)
    assert found(model, 411) == {}
    assert "stuck_tasks" in found(model, 711)


def test_a_task_that_is_over_is_not_stuck(model: HealthModel) -> None:
    for task_id in ("task-a", "task-b"):
        model.tasks.working(task_id, at(0).monotonic_s)
    model.tasks.released("task-a")
    assert found(model, 301)["stuck_tasks"].message.startswith("Stuck tasks: task-b (1 ")
    model.tasks.released("task-b")
    assert found(model, 302) == {}


def test_many_stuck_tasks_are_counted_and_the_oldest_are_named(model: HealthModel) -> None:
    for number in range(1_000):
        model.tasks.working(f"t{number}", at(number / 1000).monotonic_s)
    condition = found(model, 900)["stuck_tasks"]
    assert condition.message.startswith("Stuck tasks: t0, t1, t2, t3, t4 and 995 more (1000 assigned tasks, ")
    assert condition.since == START_MS + 300_000


# --- all together ---------------------------------------------------------------------------------------------------


def test_critical_wins_and_comes_first_because_old_pages_show_only_the_first(model: HealthModel) -> None:
    model.agents.left("alpha", "Alpha", clean=False, now=at(0))
    model.tasks.working("task-a", at(0).monotonic_s)
    check(model, 10, 20, 30)
    health = model.evaluate(Facts(hour=HourTotals(failed=10), online=1), at(600))
    assert health.status == CRITICAL
    assert [one.id for one in health.conditions] == ["failure_rate", "agent_offline", "queue_growing", "stuck_tasks"]


def test_a_disabled_webhook_is_told_where_somebody_looks(model: HealthModel) -> None:
    disabled = tuple((f"hook {number}", START_MS - number) for number in range(7))
    condition = found(model, 0, disabled_webhooks=disabled)["webhook_disabled"]
    assert (condition.severity, condition.since, condition.count) == (WARNING, START_MS - 6, 7)
    assert "hook 0, hook 1" in condition.message and "and 2 more (7 webhooks" in condition.message
    assert "webhook_disabled" not in found(model, 1)


def test_thresholds_are_settings() -> None:
    model = HealthModel(HealthOptions(stuck_after_s=5.0, failure_min_finished=1))
    model.tasks.working("task-a", at(0).monotonic_s)
    assert set(found(model, 6, failed=1)) == {"failure_rate", "stuck_tasks"}


def test_health_is_decided_by_the_monotonic_clock_only_lessons_90(model: HealthModel) -> None:
    model.tasks.working("task-a", 100.0)
    model.agents.left("alpha", "Alpha", clean=False, now=Moment(100.0, START_MS))
    a_year_later_on_the_wall = Moment(170.0, START_MS + 31_536_000_000)
    conditions = model.evaluate(Facts(online=1), a_year_later_on_the_wall).conditions
    assert [one.id for one in conditions] == ["agent_offline"]


# --- muted kinds of failure -------------------------------------------------------------------------------------------


def dead(model: HealthModel, seconds: float) -> int:
    """New kinds of failure that ask for attention."""
    condition = found(model, seconds, buried=9).get("dead_letters_new")
    return condition.count if condition is not None else 0


def ms(seconds: float) -> int:
    return at(seconds).unix_ms


def test_a_muted_kind_asks_for_nothing_until_it_dies_again_after_its_time(model: HealthModel) -> None:
    model.dead.buried("boom", ms(0))
    assert dead(model, 1) == 1
    model.dead.set_mutes([("boom", ms(2), ms(100))], ms(2))
    assert dead(model, 2) == 0
    model.dead.buried("boom", ms(50))
    model.dead.buried("bang", ms(50))
    assert dead(model, 51) == 1, "another kind does"
    model.dead.acknowledge()
    model.dead.set_mutes([("boom", ms(2), ms(100))], ms(101))
    assert dead(model, 101) == 0, "what died meanwhile was looked after"
    model.dead.buried("boom", ms(102))
    assert dead(model, 102) == 1


def test_a_mute_that_ends_before_its_time_lets_through_what_died_meanwhile(model: HealthModel) -> None:
    """It was taken back, or the group has grown too much."""
    model.dead.set_mutes([("boom", ms(0), ms(100)), ("quiet", ms(0), ms(100))], ms(0))
    model.dead.buried("boom", ms(10))
    model.dead.set_mutes([], ms(20))
    assert dead(model, 20) == 1


def test_a_kind_that_was_seen_before_it_was_muted_is_new_after_the_mute(model: HealthModel) -> None:
    model.dead.buried("boom", ms(0))
    model.dead.acknowledge()
    model.dead.set_mutes([("boom", ms(1), ms(10))], ms(1))
    model.dead.buried("boom", ms(11))
    assert dead(model, 11) == 1
    model.dead.acknowledge()
    model.dead.set_mutes([("boom", ms(1), ms(10))], ms(12))
    model.dead.buried("boom", ms(13))
    assert dead(model, 13) == 0, "it was seen after the mute"


def test_a_restart_knows_again_what_was_muted_when_it_died() -> None:
    model = HealthModel()
    model.dead.set_mutes([("boom", ms(0), ms(10)), ("long", ms(0), ms(500))], ms(100))
    for kind, second in (("boom", 5), ("boom", 9), ("long", 50)):
        model.dead.buried(kind, ms(second))
    assert dead(model, 100) == 0
    model.dead.buried("boom", ms(50))
    assert dead(model, 100) == 1
