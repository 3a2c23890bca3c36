"""Why a task waits: the one reason that matters most, what to do about it, and what every agent says to it.

Pure: what the queue knows of the task (``Waiting``) and what is known of the agents goes in, an ``Explanation`` comes out. The
reasons are looked at in the order in which they must go away: a task that is not due yet does not profit from more agents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actors.fsm_rules import capability_names
from actors.vocabulary.events import AgentView
from actors.vocabulary.tasks import FINAL, Task, TaskStatus, Waiting

#: Agents in one answer, those first that could take the task.
AGENTS_SHOWN = 50

NAMES_SHOWN = 3

OFFLINE = "offline"
ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Candidate:
    """``missing``: what the task needs and the agent has not. ``free``: slots. ``state``: as in ``AgentView.fsm_state``."""

    agent_id: str
    state: str
    missing: tuple[str, ...]
    free: int
    slots: int
    may_have_it: bool
    mode: str = ACTIVE
    """As in ``AgentView.mode``: one that is not active takes nothing new."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``reason``: back_off, pinned_agent_offline, pinned_agent_paused, pinned_agent_busy, no_agents, no_capable_agent,
    agents_paused, agents_busy, next; or the status of a task that does not wait. ``next_step``: what a person can do, or None.
    ``ahead``: tasks before it in the order of the queue, at most ``Waiting.AHEAD_LIMIT``. ``due_at``: Unix ms when a back-off
    is over."""

    task_id: str
    status: str
    reason: str
    sentence: str
    next_step: str | None
    ahead: int
    due_at: int | None
    agents: tuple[Candidate, ...]


def explain(waiting: Waiting, views: Iterable[AgentView], now_ms: int) -> Explanation:
    task = waiting.task
    candidates = sorted((_candidate(task, view) for view in views), key=_usefulness)
    reason, sentence, next_step = _reason(waiting, candidates, now_ms)
    is_queued = task.status is TaskStatus.QUEUED
    return Explanation(
        task_id=task.id,
        status=task.status.value,
        reason=reason,
        sentence=sentence,
        next_step=next_step,
        ahead=waiting.ahead if is_queued else 0,
        due_at=task.not_before if reason == "back_off" else None,
        agents=tuple(candidates[:AGENTS_SHOWN]) if is_queued else (),
    )


def _candidate(task: Task, view: AgentView) -> Candidate:
    has = capability_names(view.capabilities)
    # A pin is stronger than needs: who pins a task has decided (``ReadyIndex.take_best``).
    missing = () if task.assign_to == view.agent_id else tuple(sorted(set(task.needed_capabilities) - has))
    takes_work = view.fsm_state != OFFLINE and view.mode == ACTIVE
    free = max(0, view.slots - view.slots_used) if takes_work else 0
    may_have_it = not missing and task.assign_to in (None, view.agent_id) and view.fsm_state != OFFLINE
    return Candidate(view.agent_id, view.fsm_state, missing, free, view.slots, may_have_it, view.mode)


def _usefulness(candidate: Candidate) -> tuple[bool, bool, int, str]:
    return not candidate.may_have_it, candidate.free == 0, len(candidate.missing), candidate.agent_id


def _reason(waiting: Waiting, candidates: list[Candidate], now_ms: int) -> tuple[str, str, str | None]:
    task = waiting.task
    if task.status in FINAL:
        return task.status.value, f"It does not wait: it is {task.status.value.replace('_', ' ')}.", None
    if task.status is TaskStatus.ASSIGNED:
        return _assigned(task)
    if task.not_before is not None and task.not_before > now_ms and not waiting.is_ready:
        seconds = -(-(task.not_before - now_ms) // 1000)
        attempts = f"{task.retry_count} of {task.max_retries} retries"
        return "back_off", f"Its last attempt failed ({attempts}); the next one begins in {seconds} s.", None
    if task.assign_to is not None:
        return _pinned(task.assign_to, candidates)
    online = [one for one in candidates if one.state != OFFLINE]
    if not online:
        return "no_agents", "No agent is connected.", "Connect one:  agentcom agent start --name NAME -- COMMAND"
    able = [one for one in online if one.may_have_it]
    if not able:
        return _nobody_can(task, online)
    if any(one.free for one in able):
        return "next", f"{_names(one for one in able if one.free)} can take it now; {_ahead(waiting)}.", None
    working = [one for one in able if one.mode == ACTIVE]
    if not working:
        return (
            "agents_paused",
            f"Every agent that can do it is paused or drains: {_names(able)}.",
            _resume(able[0].agent_id),
        )
    busy = "The only agent that can do it is" if len(working) == 1 else f"All {len(working)} agents that can do it are"
    return "agents_busy", f"{busy} busy; {_ahead(waiting)}.", "Connect another agent, or give it a more urgent lane."


def _assigned(task: Task) -> tuple[str, str, str | None]:
    if task.accepted_at is None:
        return "assigned", f"{task.assigned_to} has been offered it and has not accepted yet.", None
    return "assigned", f"It does not wait: {task.assigned_to} is working on it.", None


def _pinned(agent_id: str, candidates: list[Candidate]) -> tuple[str, str, str | None]:
    agent = next((one for one in candidates if one.agent_id == agent_id), None)
    if agent is None or agent.state == OFFLINE:
        sentence = f"Only {agent_id} may have it, and {agent_id} is not connected."
        return "pinned_agent_offline", sentence, f"Start {agent_id}, or cancel the task and submit it without --agent."
    if agent.mode != ACTIVE:
        return "pinned_agent_paused", f"Only {agent_id} may have it, and {agent_id} is {agent.mode}.", _resume(agent_id)
    if agent.free == 0:
        return "pinned_agent_busy", f"Only {agent_id} may have it, and {agent_id} is busy.", None
    return "next", f"{agent_id} can take it now.", None


def _resume(agent_id: str) -> str:
    return f"Let it work again:  agentcom agent resume {agent_id}"


def _nobody_can(task: Task, online: list[Candidate]) -> tuple[str, str, str | None]:
    nearest = online[0]
    lacking = ", ".join(nearest.missing)
    needs = ", ".join(task.needed_capabilities)
    sentence = f"No connected agent can do all of: {needs}. Nearest is {nearest.agent_id}, which lacks {lacking}."
    flags = " ".join(f"--cap {need}" for need in task.needed_capabilities)
    return (
        "no_capable_agent",
        sentence,
        f"Connect an agent that can:  agentcom agent start --name NAME {flags} -- COMMAND",
    )


def _names(candidates: Iterable[Candidate]) -> str:
    names = [one.agent_id for one in candidates]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _ahead(waiting: Waiting) -> str:
    if waiting.ahead == 0:
        return "nothing is ahead of it"
    count = f"{waiting.ahead:,}" + ("+" if waiting.ahead >= Waiting.AHEAD_LIMIT else "")
    return f"{count} {'task is' if waiting.ahead == 1 else 'tasks are'} ahead of it"
