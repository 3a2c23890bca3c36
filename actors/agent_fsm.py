"""One actor for each connected agent: what the agent is doing, and what follows when it answers, is silent, or is gone.

The transition table is ``fsm_rules``. The queue decides what holds: this actor asks it and follows its answer, so that a
refused result never leaves the agent "working" on something that is no longer its own. At its start, whether first or after a
crash, it asks the gateway for the agent's connection and the queue for the tasks that the agent holds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from actors.fsm_rules import Input, State, capability_names, next_state
from actors.vocabulary import names
from actors.vocabulary.agents import Assign, Connected, Dropped, FromAgent, ReadView, Reconcile, Withdrawn
from actors.vocabulary.events import PRESENCE, AgentChanged, AgentJoined, AgentLeft, AgentView
from actors.vocabulary.gateway import Close, ToAgent, WhoIsConnected
from actors.vocabulary.scheduling import AgentReady, AgentUnready
from actors.vocabulary.tasks import (
    Accept,
    AgentPresence,
    AssignedTo,
    Complete,
    Completed,
    Fail,
    Failed,
    LimitLease,
    Progress,
    Reclaim,
    ReclaimCause,
    RecordPresence,
    Recover,
    Refusal,
    Refused,
    RenewLeases,
    Task,
    TaskStatus,
)
from supervision.actor import Actor
from supervision.exits import Normal
from supervision.timers import Timer

logger = logging.getLogger("agentcom.agent_fsm")

UNRESPONSIVE = "unresponsive"
RESTARTING = "restarting"

#: Close code for a connection that a newer one of the same agent replaced.
REPLACED = 4409


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Times in seconds. ``grace_s``: how long a dropped agent may stay away before its task is given to another."""

    acceptance_timeout_s: float = 60.0
    grace_s: float = 10.0
    report_timeout_s: float = 10.0
    """An agent that came back says within this time what it holds, or it holds nothing."""
    unresponsive_hold_s: float = 5.0
    """No new work after an acceptance timeout; doubles with each one in a row."""
    reject_hold_s: float = 1.0
    """No new work after the agent gave a task back; doubles with each one in a row."""
    hold_cap_s: float = 300.0


@dataclass(frozen=True, slots=True)
class AcceptanceTimeout:
    task_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class ReportTimeout:
    task_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class GraceOver:
    pass


@dataclass(frozen=True, slots=True)
class HoldOver:
    pass


class AgentFSM(Actor):
    handles: ClassVar[dict[type, str]] = {
        Connected: "connected",
        Dropped: "dropped",
        FromAgent: "from_agent",
        Assign: "assign",
        Withdrawn: "withdrawn",
        Reconcile: "reconcile",
        ReadView: "view",
        AcceptanceTimeout: "acceptance_timeout",
        ReportTimeout: "report_timeout",
        GraceOver: "grace_over",
        HoldOver: "hold_over",
    }

    def __init__(self, agent_id: str, options: AgentOptions) -> None:
        super().__init__()
        self.agent_id = agent_id
        self.options = options
        self.state = State.OFFLINE
        self.last_state_change = self.runtime.clock.time_ms()
        self.link: Connected | None = None
        self.task: Task | None = None
        self.flags: set[str] = set()
        self.status = "connected"
        self._joined = False
        self._timer: Timer | None = None
        self._hold: Timer | None = None
        self._holds_in_a_row = 0
        self._frames: dict[str, Callable[[dict[str, Any]], None]] = {
            "task_accepted": self._accepted,
            "task_progress": self._progressed,
            "task_complete": self._completed,
            "task_failed": self._failed,
            "task_rejected": self._rejected,
            "task_recovering": self._recovering,
            "state_report": self._reported,
            "wake_result": self._woken,
            "status": self._status,
            "agent_restarting": self._restarting,
        }

    def on_start(self) -> None:
        self.request(names.GATEWAY, WhoIsConnected(self.agent_id), self._found_connection)

    def _found_connection(self, answer: object) -> None:
        if self.link is not None:  # the gateway told us itself meanwhile
            return
        if isinstance(answer, Connected):
            self.connected(answer)
        else:  # it is not there any more; what the queue still holds for it runs into its lease
            self._leave(clean=False)

    # --- the connection -------------------------------------------------------------------------------------------

    def connected(self, message: Connected) -> None:
        older = self.link
        if older is not None and older.connection != message.connection:
            reason = "replaced by a newer connection of the same agent"
            self.send(names.GATEWAY, Close(older.connection, REPLACED, reason))
        is_same = older is not None and older.connection == message.connection
        self.link = message
        self.flags.discard(RESTARTING)
        if not is_same:
            self.status = message.status
        if older is not None and not is_same and self.state is not State.OFFLINE:
            self._apply(Input.DROP)
        self._cancel_timer()
        self.send(names.TASK_QUEUE, RenewLeases((self.agent_id,)))
        self.send(names.TASK_QUEUE, RecordPresence(self.agent_id, message.name, AgentPresence.ONLINE))
        self._ask_what_is_held(fresh=not message.resumed)
        if not self._joined:
            self._joined = True
            self._publish(AgentJoined(self.view(), self._now()))
        else:
            self._changed()

    def dropped(self, message: Dropped) -> None:
        if self.link is None or message.connection not in (None, self.link.connection):
            return
        self.link = None
        self.send(names.SCHEDULER, AgentUnready(self.agent_id))
        self._cancel_timer()
        if message.clean and RESTARTING not in self.flags:
            self._leave(clean=True)
            return
        self._apply(Input.DROP)
        if self.task is not None:
            self.send(names.TASK_QUEUE, LimitLease(self.task.id, self.task.generation, self.options.grace_s))
        self._timer = self.send_after(self.options.grace_s, GraceOver())

    def grace_over(self, _: GraceOver) -> None:
        if self.link is None:
            self._leave(clean=False)

    def _leave(self, *, clean: bool) -> None:
        if clean and self.task is not None:
            self._give_back(self.task, ReclaimCause.AGENT_LEFT)
        name = self.view().name
        presence = AgentPresence.LEFT if clean else AgentPresence.LOST
        self.send(names.TASK_QUEUE, RecordPresence(self.agent_id, name, presence))
        self._publish(AgentLeft(self.agent_id, name, clean, self._now()))
        self.exit(Normal())

    # --- what the agent holds, according to the queue -----------------------------------------------------------------

    def reconcile(self, _: Reconcile) -> None:
        if self.link is not None:
            self._ask_what_is_held(fresh=False)

    def _ask_what_is_held(self, *, fresh: bool) -> None:
        """``fresh``: a connection of which we do not know whether the agent behind it still has its task."""
        self.request(names.TASK_QUEUE, AssignedTo(self.agent_id), lambda answer: self._learn_held(answer, fresh))

    def _learn_held(self, answer: object, fresh: bool) -> None:
        if self.link is None:
            return
        if not isinstance(answer, tuple):
            logger.warning("%s: the queue does not say what the agent holds: %s", self.agent_id, answer)
            self.send_after(1.0, Reconcile())
            return
        for surplus in answer[1:]:
            self._give_back(surplus, ReclaimCause.DUPLICATE)
        if not answer:
            self._holds_nothing()
        elif not self._is_current(answer[0].id, answer[0].generation) or self.state is State.OFFLINE:
            self._adopt(answer[0], fresh=fresh)

    def _holds_nothing(self) -> None:
        if self.state is State.OFFLINE:
            self.task = None
            self._apply(Input.RETURN_IDLE)
        elif self.task is not None:
            self._let_go(Input.WITHDRAW)
        self._announce_ready()

    def _adopt(self, task: Task, *, fresh: bool) -> None:
        """The queue says that this agent holds ``task``; find out how far it is."""
        self.task = task
        self._apply(Input.RETURN_HOLDING if self.state is State.OFFLINE else Input.ASSIGN)
        if task.accepted_at is not None and not fresh:
            self._apply(Input.ACCEPT)
        elif fresh:
            timeout = ReportTimeout(task.id, task.generation)
            self._set_timer(self.options.report_timeout_s, timeout)
        else:  # the assignment may not have reached the agent: a repeated one does no harm
            self._push_assignment(task)

    def report_timeout(self, message: ReportTimeout) -> None:
        if self._is_current(message.task_id, message.generation) and self.state is State.ASSIGNED:
            self._give_back_current(ReclaimCause.AGENT_LOST)

    # --- being assigned ---------------------------------------------------------------------------------------------

    def assign(self, message: Assign) -> None:
        task = message.task
        if self.link is None or next_state(self.state, Input.ASSIGN) is None:
            if not self._is_current(task.id, task.generation):  # reconciled before this message came
                cause = ReclaimCause.AGENT_LEFT if self.link is None else ReclaimCause.DUPLICATE
                self._give_back(task, cause)
            return
        self.task = task
        self._apply(Input.ASSIGN)
        self._push_assignment(task)

    def _push_assignment(self, task: Task) -> None:
        self._push(
            {
                "type": "task_assign",
                "task_id": task.id,
                "description": task.description,
                "metadata": task.metadata,
                "generation": task.generation,
                "assigned_at": task.assigned_at,
                "priority": task.priority,
                "needed_capabilities": list(task.needed_capabilities),
                "complete_by": task.complete_by,
                **task.extras,
            }
        )
        self._set_timer(self.options.acceptance_timeout_s, AcceptanceTimeout(task.id, task.generation))

    def acceptance_timeout(self, message: AcceptanceTimeout) -> None:
        if not self._is_current(message.task_id, message.generation) or self.state is not State.ASSIGNED:
            return
        self.flags.add(UNRESPONSIVE)
        self._hold_back(self.options.unresponsive_hold_s)
        self._give_back_current(ReclaimCause.ACCEPTANCE_TIMEOUT, Input.TIME_OUT)

    def withdrawn(self, message: Withdrawn) -> None:
        """The queue took the attempt away by itself; the agent is told, and is free."""
        if self.task is None or self.task.id != message.task_id:
            return
        self._push({"type": "task_cancelled", "task_id": message.task_id, "timestamp": self._now()})
        if self.link is None:
            self.task = None
            return
        self._let_go(Input.WITHDRAW)
        self._announce_ready()

    # --- frames -----------------------------------------------------------------------------------------------------

    def from_agent(self, message: FromAgent) -> None:
        if self.link is None or message.connection != self.link.connection:
            return  # from a connection that was replaced
        handler = self._frames.get(message.frame["type"])
        if handler is not None:
            handler(message.frame)

    def _accepted(self, frame: dict[str, Any]) -> None:
        self._accept(frame, lambda task: self._ack(task.id, "accepted", task.generation))

    def _accept(self, frame: dict[str, Any], then: Callable[[Task], None]) -> None:
        """Ask the queue to accept; implicit too: progress and reports are as good as ``task_accepted``."""

        def answered(answer: object) -> None:
            if isinstance(answer, Task):
                self._working_on(answer)
                then(answer)
            else:
                self._refuse(frame, "task_accept_failed", answer)

        accept = Accept(frame["task_id"], self.agent_id, frame.get("generation"))
        self.request(names.TASK_QUEUE, accept, answered)

    def _working_on(self, task: Task) -> None:
        if self.task is None or self.task.id != task.id:
            return
        self._holds_in_a_row = 0
        self.task = task
        self._cancel_timer()
        was_flagged = UNRESPONSIVE in self.flags
        self.flags.discard(UNRESPONSIVE)
        if not self._apply(Input.ACCEPT) and was_flagged:
            self._changed()

    def _progressed(self, frame: dict[str, Any]) -> None:
        progress = Progress(frame["task_id"], self.agent_id, frame.get("generation"), frame.get("progress"))
        self.send(names.TASK_QUEUE, progress)
        if self.state in (State.ASSIGNED, State.BLOCKED) and self._is_about_current(frame):
            self._accept(frame, lambda _: None)

    def _completed(self, frame: dict[str, Any]) -> None:
        result = frame.get("result")
        tokens = frame.get("tokens_used")
        if tokens is None and isinstance(result, dict) and isinstance(result.get("tokens_used"), int):
            tokens = result["tokens_used"]
        generation = frame.get("generation", 0)
        complete = Complete(frame["task_id"], self.agent_id, generation, result, max(0, tokens or 0))

        def answered(answer: object) -> None:
            if isinstance(answer, Completed):
                self._ack(answer.task_id, "complete", generation)
                self._finished(answer.task_id, generation)
            else:
                self._refuse(frame, "task_complete_failed", answer)

        self.request(names.TASK_QUEUE, complete, answered)

    def _failed(self, frame: dict[str, Any]) -> None:
        error = frame.get("error") or frame.get("reason") or "unknown"
        generation = frame.get("generation", 0)

        def answered(answer: object) -> None:
            if isinstance(answer, Failed):
                status = "dead_letter" if answer.status is TaskStatus.DEAD_LETTER else "retried"
                self._ack(answer.task_id, status, generation, retry_in_ms=answer.retry_in_ms)
                self._finished(answer.task_id, generation)
            else:
                self._refuse(frame, "task_fail_failed", answer)

        self.request(names.TASK_QUEUE, Fail(frame["task_id"], self.agent_id, generation, str(error)), answered)

    def _finished(self, task_id: str, generation: int) -> None:
        if self._is_current(task_id, generation):
            self._holds_in_a_row = 0
            self.flags.discard(UNRESPONSIVE)
            self._let_go(Input.FINISH)
            self._announce_ready()

    def _rejected(self, frame: dict[str, Any]) -> None:
        task = self.task
        is_current = task is not None and self._is_about_current(frame)
        if task is None or not is_current or (self.state is State.WORKING and frame.get("reason") == "busy"):
            # An agent that is busy with this very task got its assignment twice: nothing to give back.
            self._ack(frame["task_id"], "rejected", frame.get("generation"))
            return
        self._hold_back(self.options.reject_hold_s)
        self._give_back_current(ReclaimCause.REJECTED)
        self._ack(task.id, "rejected", task.generation)

    def _recovering(self, frame: dict[str, Any]) -> None:
        crashed = frame.get("last_status") == "crashed"

        def answered(answer: object) -> None:
            if isinstance(answer, Task) and not crashed:
                self._resume(answer)
                self._push({"type": "task_continue", "task_id": answer.id, "generation": answer.generation})
                return
            if isinstance(answer, Task):
                self._resume(answer)
                self._give_back_current(ReclaimCause.AGENT_CRASHED)
            self._push({"type": "task_reassign", "task_id": frame["task_id"]})

        self.request(names.TASK_QUEUE, Recover(frame["task_id"], self.agent_id, frame.get("generation")), answered)

    def _reported(self, frame: dict[str, Any]) -> None:
        def answered(answer: object) -> None:
            goes_on = isinstance(answer, Task)
            if isinstance(answer, Task):
                self._resume(answer)
            action = "continue" if goes_on else "abort"
            self._push({"type": "state_report_ack", "task_id": frame["task_id"], "action": action})

        self.request(names.TASK_QUEUE, Recover(frame["task_id"], self.agent_id, frame.get("generation")), answered)

    def _resume(self, task: Task) -> None:
        """The agent goes on with an attempt that the queue says is live: that is an acceptance."""
        if self.task is None:
            self.task = task
            self._apply(Input.RETURN_HOLDING if self.state is State.OFFLINE else Input.ASSIGN)
            self.send(names.SCHEDULER, AgentUnready(self.agent_id))
        self._working_on(task)

    def _woken(self, frame: dict[str, Any]) -> None:
        if frame.get("status") == "success":
            self._progressed(frame)

    def _status(self, frame: dict[str, Any]) -> None:
        self.status = frame["status"]
        self._push({"type": "status_updated"})
        self._publish(AgentChanged(self.view(), self._now(), status_changed=True))

    def _restarting(self, _: dict[str, Any]) -> None:
        """It will come back: its goodbye is not a leave, and its task waits for it through the grace."""
        self.flags.add(RESTARTING)
        self.send(names.SCHEDULER, AgentUnready(self.agent_id))
        self._changed()

    def _refuse(self, frame: dict[str, Any], code: str, answer: object) -> None:
        """Tell the agent plainly, and find out what it really holds if the refused attempt is the one that we believe in."""
        if isinstance(answer, Refused):
            reason: str = Refusal(answer.reason).value
        else:
            reason = "hub_unavailable"
        self._push({"type": "error", "error": f"{code}: {reason}", "task_id": frame["task_id"]})
        if self.task is not None and self.task.id == frame["task_id"]:
            self._ask_what_is_held(fresh=False)

    # --- helpers of the handlers --------------------------------------------------------------------------------------

    def _is_current(self, task_id: str, generation: int) -> bool:
        return self.task is not None and (self.task.id, self.task.generation) == (task_id, generation)

    def _is_about_current(self, frame: dict[str, Any]) -> bool:
        if self.task is None or frame["task_id"] != self.task.id:
            return False
        return frame.get("generation") in (None, self.task.generation)

    def _give_back(self, task: Task, cause: ReclaimCause) -> None:
        self.send(names.TASK_QUEUE, Reclaim(task.id, task.generation, cause))

    def _give_back_current(self, cause: ReclaimCause, input_: Input = Input.WITHDRAW) -> None:
        assert self.task is not None
        self._give_back(self.task, cause)
        self._let_go(input_)
        self._announce_ready()

    def _let_go(self, input_: Input) -> None:
        self.task = None
        self._cancel_timer()
        self._apply(input_)

    def _hold_back(self, base_s: float) -> None:
        """No new work for a while; longer each time in a row."""
        seconds = min(base_s * 2**self._holds_in_a_row, self.options.hold_cap_s)
        self._holds_in_a_row += 1
        if self._hold is not None:
            self._hold.cancel()
        self._hold = self.send_after(seconds, HoldOver())

    def hold_over(self, _: HoldOver) -> None:
        self._hold = None
        self._announce_ready()

    def _announce_ready(self) -> None:
        is_free = self.state is State.IDLE and self._hold is None and RESTARTING not in self.flags
        if self.link is not None and is_free:
            self.send(names.SCHEDULER, AgentReady(self.agent_id, capability_names(self.link.capabilities)))

    def _set_timer(self, seconds: float, message: object) -> None:
        self._cancel_timer()
        self._timer = self.send_after(seconds, message)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _apply(self, input_: Input) -> bool:
        """Make the transition if the table has it, and tell everybody."""
        state = next_state(self.state, input_)
        if state is None:
            return False
        self.state = state
        self.last_state_change = self._now()
        if self._joined:
            self._changed()
        return True

    # --- showing itself ---------------------------------------------------------------------------------------------

    def view(self, _: ReadView | None = None) -> AgentView:
        link = self.link
        if link is not None:
            self._last_link = link
        else:
            link = getattr(self, "_last_link", None)
        return AgentView(
            agent_id=self.agent_id,
            name=link.name if link is not None else self.agent_id,
            status=self.status,
            capabilities=link.capabilities if link is not None else (),
            connected_at=link.connected_at if link is not None else 0,
            fsm_state=self.state.value,
            current_task_id=self.task.id if self.task is not None else None,
            flags=tuple(sorted(self.flags)),
            last_state_change=self.last_state_change,
        )

    def _changed(self) -> None:
        self._publish(AgentChanged(self.view(), self._now()))

    def _publish(self, event: AgentJoined | AgentLeft | AgentChanged) -> None:
        self.runtime.bus.publish(PRESENCE, event)

    def _push(self, frame: dict[str, Any]) -> None:
        if self.link is not None:
            self.send(names.GATEWAY, ToAgent(self.link.connection, frame))

    def _ack(self, task_id: str, status: str, generation: object, **more: object) -> None:
        ack = {"type": "task_ack", "task_id": task_id, "status": status, **more}
        if generation is not None:
            ack["generation"] = generation
        self._push(ack)

    def _now(self) -> int:
        return self.runtime.clock.time_ms()
