"""What follows from each frame of an agent. The queue is asked first, and the agent is told what the queue says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.fsm_rules import Input, State
from actors.vocabulary import names
from actors.vocabulary.events import AgentChanged
from actors.vocabulary.output import Printed
from actors.vocabulary.scheduling import AgentUnready
from actors.vocabulary.tasks import (
    Accept,
    Complete,
    Completed,
    Fail,
    Failed,
    Progress,
    ReclaimCause,
    Recover,
    Refusal,
    Refused,
    Task,
    TaskStatus,
)

if TYPE_CHECKING:
    from actors.agent_fsm import AgentFSM
    from actors.slots import Slot

Frame = dict[str, Any]


class AgentFrames:
    """The frames of one agent; ``type`` and fields are validated by the web process (``wire.frames``)."""

    def __init__(self, fsm: AgentFSM) -> None:
        self._fsm = fsm
        self._handlers: dict[str, Callable[[Frame], None]] = {
            "task_accepted": self._accepted,
            "task_progress": self._progressed,
            "task_output": self._printed,
            "task_complete": self._completed,
            "task_failed": self._failed,
            "task_rejected": self._rejected,
            "task_recovering": self._recovering,
            "state_report": self._reported,
            "wake_result": self._woken,
            "status": self._status,
            "agent_restarting": self._restarting,
        }

    def handle(self, frame: Frame) -> None:
        """Frames that mean nothing to the hub (``resource_report``) change nothing."""
        handler = self._handlers.get(frame["type"])
        if handler is not None:
            handler(frame)

    # --- working ----------------------------------------------------------------------------------------------------

    def _accepted(self, frame: Frame) -> None:
        self._accept(frame, lambda task: self._ack(task.id, "accepted", task.generation))

    def _accept(self, frame: Frame, then: Callable[[Task], None]) -> None:
        """Ask the queue to accept; implicit too: progress and reports are as good as ``task_accepted``."""

        def answered(answer: object) -> None:
            if isinstance(answer, Task):
                self._fsm.accepted(answer)
                then(answer)
            else:
                self._refuse(frame, "task_accept_failed", answer)

        accept = Accept(frame["task_id"], self._fsm.agent_id, frame.get("generation"), self._fsm.connection_id)
        self._fsm.ask_queue(accept, answered)

    def _progressed(self, frame: Frame) -> None:
        generation = frame.get("generation")
        self._fsm.tell_queue(Progress(frame["task_id"], self._fsm.agent_id, generation, frame.get("progress")))
        slot = self._slot_of(frame)
        if slot is not None and slot.state in (State.ASSIGNED, State.BLOCKED):
            self._accept(frame, lambda _: None)

    def _printed(self, frame: Frame) -> None:
        """Only of an attempt that this agent holds now; anything else is dropped without a word."""
        slot = self._slot_of(frame)
        if slot is not None:
            about = frame["task_id"], frame["generation"], self._fsm.agent_id
            self._fsm.send(names.OUTPUT, Printed(*about, frame["seq"], frame["count"], frame["lines"]))

    def _woken(self, frame: Frame) -> None:
        if frame.get("status") == "success":
            self._progressed(frame)

    # --- results ----------------------------------------------------------------------------------------------------

    def _completed(self, frame: Frame) -> None:
        generation = frame.get("generation", 0)
        task_id, result = frame["task_id"], frame.get("result")
        complete = Complete(task_id, self._fsm.agent_id, generation, result, _tokens_used(frame))

        def answered(answer: object) -> None:
            if isinstance(answer, Completed):
                self._ack(answer.task_id, "complete", generation)
                self._finished(answer.task_id, generation)
            else:
                self._refuse(frame, "task_complete_failed", answer)

        self._fsm.ask_queue(complete, answered)

    def _failed(self, frame: Frame) -> None:
        error = frame.get("error") or frame.get("reason") or "unknown"
        generation = frame.get("generation", 0)

        def answered(answer: object) -> None:
            if isinstance(answer, Failed):
                status = "dead_letter" if answer.status is TaskStatus.DEAD_LETTER else "retried"
                self._ack(answer.task_id, status, generation, retry_in_ms=answer.retry_in_ms)
                self._finished(answer.task_id, generation)
            else:
                self._refuse(frame, "task_fail_failed", answer)

        self._fsm.ask_queue(Fail(frame["task_id"], self._fsm.agent_id, generation, str(error)), answered)

    def _finished(self, task_id: str, generation: int) -> None:
        slot = self._fsm.slots.holding(task_id, generation)
        if slot is not None:
            self._fsm.is_well()
            self._fsm.let_go(slot, Input.FINISH)
            self._fsm.announce_ready()

    def _rejected(self, frame: Frame) -> None:
        slot = self._slot_of(frame)
        if slot is None or slot.task is None or (slot.state is State.WORKING and frame.get("reason") == "busy"):
            # An agent that is busy with this very task got its assignment twice: nothing to give back.
            self._ack(frame["task_id"], "rejected", frame.get("generation"))
            return
        task = slot.task
        self._fsm.hold_back(self._fsm.options.reject_hold_s)
        self._fsm.give_back_slot(slot, ReclaimCause.REJECTED)
        self._ack(task.id, "rejected", task.generation)

    # --- coming back ------------------------------------------------------------------------------------------------

    def _recovering(self, frame: Frame) -> None:
        crashed = frame.get("last_status") == "crashed"

        def answered(answer: object) -> None:
            if _is_unknown(answer):
                return
            slot = self._fsm.resume(answer) if isinstance(answer, Task) else None
            if isinstance(answer, Task) and slot is not None and not crashed:
                self._fsm.push({"type": "task_continue", "task_id": answer.id, "generation": answer.generation})
                return
            if slot is not None:
                self._fsm.give_back_slot(slot, ReclaimCause.AGENT_CRASHED)
            self._fsm.push({"type": "task_reassign", **_attempt_of(frame)})

        self._recover(frame, answered)

    def _reported(self, frame: Frame) -> None:
        def answered(answer: object) -> None:
            if _is_unknown(answer):
                return
            goes_on = isinstance(answer, Task) and self._fsm.resume(answer) is not None
            action = "continue" if goes_on else "abort"
            self._fsm.push({"type": "state_report_ack", **_attempt_of(frame), "action": action})

        self._recover(frame, answered)

    def _recover(self, frame: Frame, answered: Callable[[object], None]) -> None:
        recover = Recover(frame["task_id"], self._fsm.agent_id, frame.get("generation"), self._fsm.connection_id)
        self._fsm.ask_queue(recover, answered)

    # --- about itself -----------------------------------------------------------------------------------------------

    def _status(self, frame: Frame) -> None:
        self._fsm.status = frame["status"]
        self._fsm.push({"type": "status_updated"})
        self._fsm.publish(AgentChanged(self._fsm.view(), self._fsm.now(), status_changed=True))

    def _restarting(self, _: Frame) -> None:
        """It will come back: its goodbye is not a leave, and its tasks wait for it through the grace."""
        self._fsm.is_restarting()
        self._fsm.send(names.SCHEDULER, AgentUnready(self._fsm.agent_id))

    # --- answering --------------------------------------------------------------------------------------------------

    def _refuse(self, frame: Frame, code: str, answer: object) -> None:
        """Tell the agent plainly, and find out what it really holds if the refused attempt is one that we believe in."""
        if _is_unknown(answer):
            return
        assert isinstance(answer, Refused)
        reason = Refusal(answer.reason).value
        self._fsm.push({"type": "error", "error": f"{code}: {reason}", **_attempt_of(frame)})
        if self._fsm.slots.holding(frame["task_id"]) is not None:
            self._fsm.ask_what_is_held(fresh=False)

    def _slot_of(self, frame: Frame) -> Slot | None:
        return self._fsm.slots.holding(frame["task_id"], frame.get("generation"))

    def _ack(self, task_id: str, status: str, generation: object, **more: object) -> None:
        ack = {"type": "task_ack", "task_id": task_id, "status": status, **more}
        if generation is not None:
            ack["generation"] = generation
        self._fsm.push(ack)


def _attempt_of(frame: Frame) -> Frame:
    """What the answer is about: the agent may hold a later attempt of the same task by the time it hears of an older one."""
    return {name: frame[name] for name in ("task_id", "generation") if name in frame}


def _is_unknown(answer: object) -> bool:
    """The queue died or is too slow. Whatever we said now could be wrong; its web process says the frame again."""
    return isinstance(answer, BaseException)


def _tokens_used(frame: Frame) -> int:
    """Also from inside the result, where old clients put it."""
    tokens = frame.get("tokens_used")
    result = frame.get("result")
    if tokens is None and isinstance(result, dict) and isinstance(result.get("tokens_used"), int):
        tokens = result["tokens_used"]
    return max(0, tokens or 0)
