"""One actor for each connected agent: what the agent is doing, and what follows when it answers, is silent, or is gone.

The transition table is ``fsm_rules``, one machine for each slot (``slots``); what each frame does is in ``agent_frames``. The
queue decides what holds: this actor asks it and follows its answer, so that a refused result never leaves the agent "working"
on something that is no longer its own. At its start, whether first or after a crash, it asks the gateway for the agent's
connection and the queue for the tasks that the agent holds and for the mode that an operator wants of it. While it is paused
or drains it is not announced to the scheduler.

Whatever one message leads to leaves together when its turn is over: one message to the queue, one to the gateway.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from actors.agent_frames import AgentFrames
from actors.fsm_rules import TAKES_WORK, Input, State, capability_names, shown_mode
from actors.slots import Slot, Slots
from actors.vocabulary import names
from actors.vocabulary.agents import Assign, Connected, Dropped, FromAgent, ModeSet, ReadView, Reconcile, Withdrawn
from actors.vocabulary.events import PRESENCE, AgentChanged, AgentJoined, AgentLeft, AgentView
from actors.vocabulary.fleet import AgentMode, ReadAgentMode
from actors.vocabulary.gateway import Close, ToAgent, WhoIsConnected
from actors.vocabulary.scheduling import AgentReady, AgentUnready
from actors.vocabulary.tasks import (
    AgentPresence,
    AssignedTo,
    LimitLease,
    Reclaim,
    ReclaimCause,
    RecordPresence,
    RenewLeases,
    Task,
    Together,
)
from supervision.actor import Actor
from supervision.exits import Normal
from supervision.timers import Timer

logger = logging.getLogger("agentcom.agent_fsm")

UNRESPONSIVE = "unresponsive"
RESTARTING = "restarting"

#: Close code for a connection that a newer one of the same agent replaced.
REPLACED = 4409

Answered = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Times in seconds. ``grace_s``: how long a dropped agent may stay away before its tasks are given to others."""

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
class SlotsDue:
    """Look whether something that was expected of a slot did not come."""


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
        ModeSet: "set_mode",
        ReadView: "view",
        SlotsDue: "slots_due",
        GraceOver: "grace_over",
        HoldOver: "hold_over",
    }

    def __init__(self, agent_id: str, options: AgentOptions) -> None:
        super().__init__()
        self.agent_id = agent_id
        self.options = options
        self.last_state_change = self.runtime.clock.time_ms()
        self.connection: Connected | None = None
        self.slots = Slots()
        self.flags: set[str] = set()
        self.status = "connected"
        self.mode: AgentMode | None = None
        """None until the queue has said it."""
        self._frames = AgentFrames(self)
        self._last_connection: Connected | None = None
        self._joined = False
        self._assigns_seen: int | None = None
        self._grace: Timer | None = None
        self._watch: Timer | None = None
        self._hold: Timer | None = None
        self._holds_in_a_row = 0
        self._state_shown = State.OFFLINE
        # What leaves at the end of the turn:
        self._asks: list[tuple[object, Answered]] = []
        self._pushes: list[dict[str, Any]] = []
        self._is_changed = False
        self._is_ready = False

    def on_start(self) -> None:
        self.request(names.GATEWAY, WhoIsConnected(self.agent_id), self._in_turn(self._found_connection))

    def _found_connection(self, answer: object) -> None:
        if self.connection is not None:  # the gateway told us itself meanwhile
            return
        if isinstance(answer, Connected):
            self.connected(answer)
        else:  # it is not there any more; what the queue still holds for it runs into its lease
            self._leave(clean=False)

    # --- the connection -------------------------------------------------------------------------------------------

    def connected(self, message: Connected) -> None:
        older = self.connection
        if older is not None and older.connection != message.connection:
            reason = "replaced by a newer connection of the same agent"
            self.send(names.GATEWAY, Close(older.connection, REPLACED, reason))
        is_same = older is not None and older.connection == message.connection
        self.connection = self._last_connection = message
        self.flags.discard(RESTARTING)
        if not is_same:
            self.status = message.status
        if older is not None and not is_same:
            self.slots.apply_to_all(Input.DROP)
        self._cancel_timers()
        self.slots.resize(message.slots)
        self.send(names.TASK_QUEUE, RenewLeases((self.agent_id,)))
        self.send(names.TASK_QUEUE, RecordPresence(self.agent_id, message.name, AgentPresence.ONLINE))
        self.ask_what_is_held(fresh=not message.resumed)
        if self._joined:
            self.changed()
        else:
            self._joined = True
            self._note_state()
            self.publish(AgentJoined(self.view(), self.now()))

    @property
    def connection_id(self) -> str | None:
        return self.connection.connection if self.connection is not None else None

    def dropped(self, message: Dropped) -> None:
        if self.connection is None or message.connection not in (None, self.connection.connection):
            return
        self.connection = None
        self.send(names.SCHEDULER, AgentUnready(self.agent_id))
        self._cancel_timers()
        if message.clean and RESTARTING not in self.flags:
            self._leave(clean=True)
            return
        self.slots.apply_to_all(Input.DROP)
        self.changed()
        for task in self.slots.tasks:
            self.send(names.TASK_QUEUE, LimitLease(task.id, task.generation, self.options.grace_s))
        self._grace = self.send_after(self.options.grace_s, GraceOver())

    def grace_over(self, _: GraceOver) -> None:
        if self.connection is None:
            self._leave(clean=False)

    def _leave(self, *, clean: bool) -> None:
        if clean:
            for task in self.slots.tasks:
                self.give_back(task, ReclaimCause.AGENT_LEFT)
        name = self.view().name
        presence = AgentPresence.LEFT if clean else AgentPresence.LOST
        self.send(names.TASK_QUEUE, RecordPresence(self.agent_id, name, presence))
        self._is_changed = False
        self._flush()
        self.publish(AgentLeft(self.agent_id, name, clean, self.now()))
        self.exit(Normal())

    # --- what the agent holds, according to the queue -----------------------------------------------------------------

    def reconcile(self, _: Reconcile) -> None:
        self._assigns_seen = None  # whoever asks starts counting anew
        if self.connection is not None:
            self.ask_what_is_held(fresh=False)

    def ask_what_is_held(self, *, fresh: bool) -> None:
        """``fresh``: a connection of which we do not know whether the agent behind it still has its tasks."""
        then = self._in_turn(lambda answer: self._learn_held(answer, fresh))
        question = Together((ReadAgentMode(self.agent_id), AssignedTo(self.agent_id)))
        self.request(names.TASK_QUEUE, question, then)

    def _learn_held(self, answer: object, fresh: bool) -> None:
        if self.connection is None:
            return
        if not isinstance(answer, tuple):
            logger.warning("%s: the queue does not say what the agent holds: %s", self.agent_id, answer)
            self.send_after(1.0, Reconcile())
            return
        self.mode, held = answer
        kept, surplus = held[: len(self.slots)], held[len(self.slots) :]
        for task in surplus:
            self.give_back(task, ReclaimCause.DUPLICATE)
        self._let_go_of_all_but({(task.id, task.generation) for task in kept})
        for task in kept:
            slot = self.slots.holding(task.id, task.generation) or self.slots.empty()
            if slot is not None and not self._is_under_way(slot):
                self._adopt(slot, task, fresh=fresh)
        for slot in self.slots:
            if slot.task is None:
                self.slots.apply(slot, Input.RETURN_IDLE)
        self.changed()
        self.announce_ready()

    @staticmethod
    def _is_under_way(slot: Slot) -> bool:
        """Worked on, or handed out and watched. A connection that comes anew ends the watch."""
        return slot.state in (State.WORKING, State.BLOCKED) or (slot.state is State.ASSIGNED and slot.due is not None)

    def _let_go_of_all_but(self, held: set[tuple[str, int]]) -> None:
        for slot in self.slots:
            if slot.task is not None and (slot.task.id, slot.task.generation) not in held:
                self.let_go(slot, Input.RETURN_IDLE if slot.state is State.OFFLINE else Input.WITHDRAW)

    def _adopt(self, slot: Slot, task: Task, *, fresh: bool) -> None:
        """The queue says that this agent holds ``task``; find out how far it is."""
        self.slots.put(slot, task)
        self.slots.apply(slot, Input.RETURN_HOLDING if slot.state is State.OFFLINE else Input.ASSIGN)
        if task.accepted_on is not None and task.accepted_on == self.connection_id:
            self.slots.apply(slot, Input.ACCEPT)
        elif fresh or task.accepted_at is not None:  # behind a new connection may be an agent that lost it in a crash
            self._expect(slot, self.options.report_timeout_s, self._report_timeout)
        else:  # the assignment may not have reached the agent: a repeated one does no harm
            self._push_assignment(slot, task)

    def _report_timeout(self, slot: Slot) -> None:
        self.give_back_slot(slot, ReclaimCause.AGENT_LOST)

    # --- being assigned ---------------------------------------------------------------------------------------------

    def assign(self, message: Assign) -> None:
        self._assigns_seen = message.number
        for task in message.tasks:
            self._assign_one(task)

    def _assign_one(self, task: Task) -> None:
        if self.slots.holding(task.id, task.generation) is not None:  # reconciled before this message came
            return
        if self.mode not in TAKES_WORK:  # it was on its way when an operator said that nothing more is to come
            self.give_back(task, ReclaimCause.AGENT_PAUSED)
            return
        slot = self.slots.idle() if self.connection is not None else None
        if slot is None:
            self.give_back(task, ReclaimCause.AGENT_LEFT if self.connection is None else ReclaimCause.DUPLICATE)
            return
        self.slots.put(slot, task)
        self.apply(slot, Input.ASSIGN)
        self._push_assignment(slot, task)

    def set_mode(self, message: ModeSet) -> AgentView:
        self.mode = message.mode
        self.changed()
        self.announce_ready()
        return self.view()

    def _push_assignment(self, slot: Slot, task: Task) -> None:
        self.push(
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
        self._expect(slot, self.options.acceptance_timeout_s, self._acceptance_timeout)

    def _acceptance_timeout(self, slot: Slot) -> None:
        self.flags.add(UNRESPONSIVE)
        self.hold_back(self.options.unresponsive_hold_s)
        self.give_back_slot(slot, ReclaimCause.ACCEPTANCE_TIMEOUT, Input.TIME_OUT)

    def withdrawn(self, message: Withdrawn) -> None:
        """The queue took the attempt away by itself; the agent is told, and is free."""
        slot = self.slots.holding(message.task_id)
        if slot is None:
            return
        self.push({"type": "task_cancelled", "task_id": message.task_id, "timestamp": self.now()})
        if self.connection is None:
            self.slots.take_out(slot)
            return
        self.let_go(slot, Input.WITHDRAW)
        self.announce_ready()

    # --- frames -----------------------------------------------------------------------------------------------------

    def from_agent(self, message: FromAgent) -> None:
        if self.connection is None or message.connection != self.connection.connection:
            return  # from a connection that was replaced
        for frame in message.frames:
            self._frames.handle(frame)

    # --- what happens to a slot ---------------------------------------------------------------------------------------

    def accepted(self, task: Task) -> None:
        """The agent works on ``task``, it said so or showed it."""
        slot = self.slots.holding(task.id)
        if slot is None:
            return
        self.slots.put(slot, task)
        slot.due = None
        self.is_well()
        self.apply(slot, Input.ACCEPT)

    def is_restarting(self) -> None:
        """It said that it will be back."""
        self.flags.add(RESTARTING)
        self.changed()

    def is_well(self) -> None:
        """It answered: whatever was held against it is forgotten."""
        self._holds_in_a_row = 0
        if UNRESPONSIVE in self.flags:
            self.flags.discard(UNRESPONSIVE)
            self.changed()

    def resume(self, task: Task) -> Slot | None:
        """The agent goes on with an attempt that the queue says is live: that is an acceptance."""
        slot = self.slots.holding(task.id)
        if slot is None:
            slot = self.slots.empty()
            if slot is None:  # more than it has slots for: what it has no place for is the queue's to give away
                return None
            self.slots.put(slot, task)
            self.apply(slot, Input.RETURN_HOLDING if slot.state is State.OFFLINE else Input.ASSIGN)
            self.announce_ready()
        self.accepted(task)
        return slot

    def give_back(self, task: Task, cause: ReclaimCause) -> None:
        self.tell_queue(Reclaim(task.id, task.generation, cause))

    def give_back_slot(self, slot: Slot, cause: ReclaimCause, input_: Input = Input.WITHDRAW) -> None:
        assert slot.task is not None
        self.give_back(slot.task, cause)
        self.let_go(slot, input_)
        self.announce_ready()

    def let_go(self, slot: Slot, input_: Input) -> None:
        self.slots.take_out(slot)
        self.slots.apply(slot, input_)
        self.changed()

    def apply(self, slot: Slot, input_: Input) -> None:
        """Make the transition if the table has it, and tell everybody."""
        if self.slots.apply(slot, input_):
            self.changed()

    # --- timers -----------------------------------------------------------------------------------------------------

    def hold_back(self, base_s: float) -> None:
        """No new work for a while; longer each time in a row."""
        seconds = min(base_s * 2**self._holds_in_a_row, self.options.hold_cap_s)
        self._holds_in_a_row += 1
        if self._hold is not None:
            self._hold.cancel()
        self._hold = self.send_after(seconds, HoldOver())

    def hold_over(self, _: HoldOver) -> None:
        self._hold = None
        self.announce_ready()

    def _expect(self, slot: Slot, seconds: float, late: Callable[[Slot], None]) -> None:
        """``late(slot)`` unless the agent shows in time that it works on what is in the slot."""
        slot.due = self.runtime.clock.monotonic() + seconds
        slot.late = late
        self._watch_from(slot.due)

    def _watch_from(self, due: float) -> None:
        """One timer for all slots, set for the first of them."""
        if self._watch is None or due < self._watch.due:
            if self._watch is not None:
                self._watch.cancel()
            self._watch = self.send_after(due - self.runtime.clock.monotonic(), SlotsDue())

    def slots_due(self, _: SlotsDue) -> None:
        self._watch = None
        now = self.runtime.clock.monotonic()
        for slot in list(self.slots):
            if slot.due is not None and slot.due <= now and slot.late is not None:
                slot.due = None
                slot.late(slot)
        dues = [slot.due for slot in self.slots if slot.due is not None]
        if dues:
            self._watch_from(min(dues))

    def _cancel_timers(self) -> None:
        for slot in self.slots:
            slot.due = None
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    # --- what leaves at the end of the turn ---------------------------------------------------------------------------

    def receive(self, message: Any) -> Any:
        answer = super().receive(message)
        self._flush()
        return answer

    def _in_turn(self, then: Answered) -> Answered:
        """``then`` for an answer that comes later, with what it leads to."""

        def run(answer: Any) -> None:
            then(answer)
            self._flush()

        return run

    def ask_queue(self, message: object, then: Answered) -> None:
        """Requests of one turn reach the queue in their order and in one transaction."""
        self._asks.append((message, then))

    def tell_queue(self, message: object) -> None:
        self._asks.append((message, _ignore))

    def push(self, frame: dict[str, Any]) -> None:
        if self.connection is not None:
            self._pushes.append(frame)

    def changed(self) -> None:
        self._is_changed = True

    def announce_ready(self) -> None:
        self._is_ready = True

    def _flush(self) -> None:
        if self._asks:
            asks, self._asks = self._asks, []
            self._ask_all(asks)
        if self._pushes:
            pushes, self._pushes = tuple(self._pushes), []
            if self.connection is not None:
                self.send(names.GATEWAY, ToAgent(self.connection.connection, pushes))
        if self._is_ready:
            self._is_ready = False
            self._tell_scheduler()
        if self._is_changed:
            self._is_changed = False
            self._note_state()
            if self._joined:
                self.publish(AgentChanged(self.view(), self.now()))

    def _ask_all(self, asks: list[tuple[object, Answered]]) -> None:
        if len(asks) == 1:
            self.request(names.TASK_QUEUE, asks[0][0], self._in_turn(asks[0][1]))
            return

        def answered(answers: object) -> None:
            for number, (_, then) in enumerate(asks):
                then(answers[number] if isinstance(answers, tuple) else answers)

        self.request(names.TASK_QUEUE, Together(tuple(message for message, _ in asks)), self._in_turn(answered))

    def _tell_scheduler(self) -> None:
        is_free = self._hold is None and RESTARTING not in self.flags and self.mode in TAKES_WORK
        free = self.slots.free
        if self.connection is not None and is_free and free:
            capabilities = capability_names(self.connection.capabilities)
            self.send(names.SCHEDULER, AgentReady(self.agent_id, capabilities, free, self._assigns_seen))
        else:
            self.send(names.SCHEDULER, AgentUnready(self.agent_id))

    # --- showing itself ---------------------------------------------------------------------------------------------

    def _note_state(self) -> None:
        if self.slots.state is not self._state_shown:
            self._state_shown = self.slots.state
            self.last_state_change = self.now()

    def view(self, _: ReadView | None = None) -> AgentView:
        link = self._last_connection
        task = self.slots.first_task
        return AgentView(
            agent_id=self.agent_id,
            name=link.name if link is not None else self.agent_id,
            status=self.status,
            capabilities=link.capabilities if link is not None else (),
            connected_at=link.connected_at if link is not None else 0,
            fsm_state=self.slots.state.value,
            current_task_id=task.id if task is not None else None,
            flags=tuple(sorted(self.flags)),
            last_state_change=self.last_state_change,
            slots=len(self.slots),
            slots_used=self.slots.used,
            mode=shown_mode(self.mode or AgentMode.ACTIVE, self.slots.used),
        )

    def publish(self, event: AgentJoined | AgentLeft | AgentChanged) -> None:
        self.runtime.bus.publish(PRESENCE, event)

    def now(self) -> int:
        return self.runtime.clock.time_ms()


def _ignore(_: object) -> None:
    return None
