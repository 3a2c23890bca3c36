"""What became of a job: computed from the tasks as the hub tells them, shown as a few lines, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from agentcom.job import Job, JobTask

#: A task as ``GET /api/tasks/:id`` answers it.
TaskBody: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended. Times in seconds; None when the hub does not know them."""

    title: str
    task_id: str
    lane: str
    status: str
    expected: str
    agent: str | None
    retries: int
    last_error: str | None
    wait_s: float | None
    """From the submission to the first assignment."""
    work_s: float | None
    """From the last assignment to the completion."""

    @property
    def is_as_expected(self) -> bool:
        return self.status == self.expected


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    took_s: float
    outcomes: tuple[Outcome, ...]

    @property
    def is_as_expected(self) -> bool:
        return all(outcome.is_as_expected for outcome in self.outcomes)

    def as_json(self) -> dict[str, object]:
        tasks = [asdict(outcome) | {"as_expected": outcome.is_as_expected} for outcome in self.outcomes]
        return {"title": self.title, "took_s": round(self.took_s, 3), "ok": self.is_as_expected, "tasks": tasks}


def outcome_of(wanted: JobTask, task: TaskBody) -> Outcome:
    history = task.get("history")
    events = [each for each in history if isinstance(each, dict)] if isinstance(history, list) else []
    assigned = [each["timestamp"] for each in events if each.get("event") == "assigned" and "timestamp" in each]
    error = task.get("last_error")
    retries = task.get("retry_count")
    completed_at = task.get("completed_at")
    if completed_at is None:
        completed_at = next((each.get("timestamp") for each in events if each.get("event") == "completed"), None)
    return Outcome(
        title=wanted.title,
        task_id=str(task.get("id")),
        lane=wanted.lane,
        status=str(task.get("status")),
        expected=wanted.expect,
        agent=_agent_of(task, events),
        retries=retries if isinstance(retries, int) else 0,
        last_error=None if error is None else str(error),
        wait_s=_between(task.get("created_at"), min(assigned, default=None)),
        work_s=_between(task.get("assigned_at"), completed_at),
    )


def _agent_of(task: TaskBody, newest_first: Sequence[Mapping[str, object]]) -> str | None:
    """Who has it, or had it last."""
    if task.get("assigned_to"):
        return str(task["assigned_to"])
    for event in newest_first:
        details = event.get("details")
        if event.get("event") == "assigned" and isinstance(details, dict) and details.get("agent_id"):
            return str(details["agent_id"])
    return None


def _between(start_ms: object, end_ms: object) -> float | None:
    if not isinstance(start_ms, int | float) or not isinstance(end_ms, int | float):
        return None
    return max(0.0, (end_ms - start_ms) / 1000)


def summary_lines(report: Report) -> list[str]:
    """The end of the run on a terminal."""
    outcomes = report.outcomes
    done = sum(outcome.status == "completed" for outcome in outcomes)
    retried = [outcome for outcome in outcomes if outcome.retries and outcome.status == "completed"]
    dead = [outcome for outcome in outcomes if outcome.status == "dead_letter"]
    planned = " (as expected)" if dead and all(outcome.is_as_expected for outcome in dead) else ""
    names = f" ({', '.join(outcome.title for outcome in retried)})" if retried else ""
    lines = [f"  ✓ {done} done   ↻ {len(retried)} retried{names}   ✗ {len(dead)} dead{planned}"]
    worked = [outcome for outcome in outcomes if outcome.work_s is not None]
    waited = [outcome for outcome in outcomes if outcome.wait_s is not None]
    facts = []
    if worked:
        slowest = max(worked, key=lambda outcome: outcome.work_s or 0.0)
        facts.append(f"slowest  {slowest.title} {slowest.work_s:.1f} s on {slowest.agent}")
    if waited:
        longest = max(waited, key=lambda outcome: outcome.wait_s or 0.0)
        facts.append(f"longest wait {longest.wait_s:.1f} s ({longest.lane})")
    if facts:
        lines.append("  " + "     ".join(facts))
    if shares := per_agent(outcomes):
        lines.append("  agents   " + "   ".join(f"{name} {count}" for name, count in shares.items()))
    lines += [
        f"  ✗ {each.title}: {each.status}, expected {each.expected}"
        + (f" — {each.last_error}" if each.last_error else "")
        for each in outcomes
        if not each.is_as_expected
    ]
    return lines


def per_agent(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many tasks each agent had in the end, by name."""
    names = sorted(outcome.agent for outcome in outcomes if outcome.agent)
    return {name: names.count(name) for name in dict.fromkeys(names)}


def markdown(job: Job, report: Report) -> str:
    """The report file."""
    verdict = "every task ended as expected" if report.is_as_expected else "**not every task ended as expected**"
    lines = [
        f"# {_cell(report.title)}",
        "",
        f"{len(report.outcomes)} tasks of `{job.path.name}` in {report.took_s:.1f} s on {len(job.agents)} agents: {verdict}.",
        "",
        "| task | lane | ended | expected | agent | retries | waited | worked | last error |",
        "|--|--|--|--|--|--|--|--|--|",
    ]
    for each in report.outcomes:
        cells = (each.title, each.lane, each.status, each.expected, each.agent or "-", str(each.retries))
        times = (_seconds(each.wait_s), _seconds(each.work_s))
        lines.append("| " + " | ".join(map(_cell, (*cells, *times, each.last_error or ""))) + " |")
    lines += ["", "| agent | tasks |", "|--|--|"]
    lines += [f"| {_cell(name)} | {count} |" for name, count in per_agent(report.outcomes).items()]
    return "\n".join(lines) + "\n"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _cell(text: str) -> str:
    """Text of a task in a table: one line, and nothing in it is Markdown of ours."""
    return " ".join(text.split())[:300].replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
