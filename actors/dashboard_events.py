"""What a browser sees of a committed fact: one JSON object for each, with its number, or nothing.

    task_event       task_id, event, generation, task_status, priority, agent_id, progress (task_progress only)
    agent_joined     agent_id, name, capabilities (as sent), status, fsm_state
    agent_left       agent_id, clean
    status_changed   agent_id, name, status, fsm_state, current_task_id, flags, mode, slots, slots_used
    agent_mode       agent_id, mode: what an operator wants of it, connected or not
    agent_forgotten  agent_id

All have ``type``, ``seq`` and ``timestamp`` (Unix ms of the commit). ``seq`` orders them against a snapshot: what is
not newer than the snapshot is contained in it. Two kinds of task events exist for actors only and are not shown: the
end of a back-off (``task_ready``) and the removal of an old record (``task_pruned``); their numbers are accounted for
by ``Broadcaster``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from actors.task_ids import id_of
from actors.vocabulary.events import (
    AgentChanged,
    AgentForgotten,
    AgentJoined,
    AgentLeft,
    AgentModeChanged,
    TaskEvent,
)
from actors.vocabulary.fleet import FinishedAttempt

Committed: TypeAlias = TaskEvent | AgentJoined | AgentLeft | AgentChanged | AgentModeChanged | AgentForgotten

#: The values of ``task_event.event``. A fact has one name: a completion is ``task_completed`` and nothing beside it.
SHOWN_TASK_EVENTS = frozenset(
    {
        "task_submitted",
        "task_assigned",
        "task_accepted",
        "task_progress",
        "task_completed",
        "task_retried",
        "task_dead_letter",
        "task_reclaimed",
        "task_cancelled",
        "task_moved",
        "task_reassigned",
    }
)


def is_shown(event: Committed) -> bool:
    return not isinstance(event, TaskEvent) or event.event in SHOWN_TASK_EVENTS


def replaced_key(event: Committed) -> str | None:
    """Of the events of one batch that share this key only the last is worth sending; None: every one is."""
    if isinstance(event, TaskEvent):
        return f"progress of {event.task.id}" if event.event == "task_progress" else None
    return f"state of {event.agent.agent_id}" if isinstance(event, AgentChanged) else None


def browser_event(seq: int, event: Committed) -> dict[str, object]:
    """The object for an event that ``is_shown``."""
    if isinstance(event, TaskEvent):
        return _task_event(seq, event)
    if isinstance(event, AgentJoined):
        return _agent_joined(seq, event)
    if isinstance(event, AgentLeft):
        return {
            "type": "agent_left",
            "seq": seq,
            "agent_id": event.agent_id,
            "clean": event.clean,
            "timestamp": event.at,
        }
    if isinstance(event, AgentModeChanged):
        return {
            "type": "agent_mode",
            "seq": seq,
            "agent_id": event.agent_id,
            "mode": event.mode.value,
            "timestamp": event.at,
        }
    if isinstance(event, AgentForgotten):
        return {"type": "agent_forgotten", "seq": seq, "agent_id": event.agent_id, "timestamp": event.at}
    return _status_changed(seq, event)


def past_event(end: FinishedAttempt) -> dict[str, object]:
    """Of a task that came to its end before anybody counted: what its row says, without a number."""
    return {
        "type": "task_event",
        "task_id": id_of(end.key),
        "event": f"task_{end.status}",
        "task_status": end.status,
        "agent_id": end.agent_id,
        "timestamp": end.ended_at,
    }


def is_memorable(shown: Mapping[str, object]) -> bool:
    """Whether it is worth telling later: progress and changes of state are of the moment."""
    return shown["type"] != "status_changed" and shown.get("event") != "task_progress"


def _task_event(seq: int, event: TaskEvent) -> dict[str, object]:
    task = event.task
    shown: dict[str, object] = {
        "type": "task_event",
        "seq": seq,
        "task_id": task.id,
        "event": event.event,
        "generation": task.generation,
        "task_status": str(task.status),
        "priority": int(task.priority),
        "agent_id": event.agent_id or task.assigned_to,
        "timestamp": event.at,
    }
    if event.progress is not None:
        shown["progress"] = event.progress
    return shown


def _agent_joined(seq: int, event: AgentJoined) -> dict[str, object]:
    agent = event.agent
    return {
        "type": "agent_joined",
        "seq": seq,
        "agent_id": agent.agent_id,
        "name": agent.name,
        "capabilities": list(agent.capabilities),
        "status": agent.status,
        "fsm_state": agent.fsm_state,
        "timestamp": event.at,
    }


def _status_changed(seq: int, event: AgentChanged) -> dict[str, object]:
    agent = event.agent
    return {
        "type": "status_changed",
        "seq": seq,
        "agent_id": agent.agent_id,
        "name": agent.name,
        "status": agent.status,
        "fsm_state": agent.fsm_state,
        "current_task_id": agent.current_task_id,
        "flags": list(agent.flags),
        "mode": agent.mode,
        "slots": agent.slots,
        "slots_used": agent.slots_used,
        "timestamp": event.at,
    }
