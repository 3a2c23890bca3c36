"""Pairs ready agents with queued tasks.

It offers an agent when it believes that a task waits which the agent can do; the queue then picks the best task for that
agent and assigns it in the same transaction. An offered agent is reserved until the answer comes, so it cannot get two tasks.
What the scheduler knows are hints: it asks the queue and every agent at its start, and the queue again on a slow tick.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from actors.matching import BacklogHint, ReadyAgents, decrement
from actors.vocabulary import names
from actors.vocabulary.agents import Assign, Reconcile, Withdrawn
from actors.vocabulary.events import TASKS, TaskEvent
from actors.vocabulary.scheduling import AgentReady, AgentUnready
from actors.vocabulary.tasks import ASSIGNED, QUEUED, Backlog, Claim, Offer, ReadBacklog, Reclaim, ReclaimCause, Task
from supervision.actor import Actor
from supervision.bus import Published

logger = logging.getLogger("agentcom.scheduler")

#: Hints can be lost; this is how long one may stay lost.
SLOW_TICK_S = 2.0

#: Offers in one claim: bounds the size of one commit.
MAX_OFFERS = 256

#: Events after which the agent that held the attempt no longer does, without having said so itself.
WITHDRAWALS = frozenset({"task_cancelled", "task_reclaimed", "task_dead_letter"})


@dataclass(frozen=True, slots=True)
class Tick:
    """Ask the queue what waits."""


@dataclass(frozen=True, slots=True)
class Match:
    """Pair agents with tasks, once for everything that was in the mailbox before."""


class Scheduler(Actor):
    handles: ClassVar[dict[type, str]] = {
        AgentReady: "ready",
        AgentUnready: "unready",
        Published: "observe",
        Tick: "tick",
        Match: "match",
    }

    def __init__(self) -> None:
        super().__init__()
        self._ready = ReadyAgents()
        self._backlog = BacklogHint()
        self._reserved: Counter[str] = Counter()
        """Offers of an agent's slots that the queue has not answered."""
        self._left_while_reserved: set[str] = set()
        self._is_match_due = False
        self._number = 0
        self._on_the_way: dict[str, list[tuple[int, int]]] = {}
        """(number, tasks) of the assignments that the agent's FSM has not said it has seen."""

    def on_start(self) -> None:
        self.runtime.bus.subscribe(TASKS, self.actor_ref)
        for name, _ in self.names.starting_with(names.agent_fsm("")):
            self.send(name, Reconcile())
        self.send_every(SLOW_TICK_S, Tick())
        self.tick(Tick())

    # --- what changes the picture ---------------------------------------------------------------------------------

    def ready(self, message: AgentReady) -> None:
        self._left_while_reserved.discard(message.agent_id)
        spoken_for = self._reserved[message.agent_id] + self._unseen(message.agent_id, message.seen)
        self._ready.set(message.agent_id, message.capabilities, message.free - spoken_for)
        self._match_soon()

    def _unseen(self, agent_id: str, seen: int | None) -> int:
        """How many tasks are on their way to an agent that has seen assignment number ``seen``."""
        unseen = [one for one in self._on_the_way.pop(agent_id, ()) if seen is not None and one[0] > seen]
        if unseen:
            self._on_the_way[agent_id] = unseen
        return sum(tasks for _, tasks in unseen)

    def unready(self, message: AgentUnready) -> None:
        self._ready.remove(message.agent_id)
        self._on_the_way.pop(message.agent_id, None)
        if message.agent_id in self._reserved:
            self._left_while_reserved.add(message.agent_id)

    def observe(self, published: Published) -> None:
        event = published.event
        if not isinstance(event, TaskEvent):
            return
        task = event.task
        if event.event == "task_moved":  # it waited before and waits now
            return
        if event.event == "task_reassigned":
            self._reassigned(task, event.cause)
            return
        if task.status is QUEUED and (task.not_before is None or event.event == "task_ready"):
            self._backlog.add(frozenset(task.needed_capabilities), task.assign_to)
            self._match_soon()
        elif event.previous == QUEUED and task.status is not ASSIGNED:
            self._backlog.drop(frozenset(task.needed_capabilities), task.assign_to)
        if event.agent_id is not None and event.event in WITHDRAWALS and event.previous == ASSIGNED:
            self.send(names.agent_fsm(event.agent_id), Withdrawn(task.id, event.event, event.cause))

    def _reassigned(self, task: Task, before: str | None) -> None:
        """One that waits out a back-off is not in the backlog; whether one that did is, the next tick says."""
        if task.not_before is None:
            needs = frozenset(task.needed_capabilities)
            self._backlog.drop(needs, before)
            self._backlog.add(needs, task.assign_to)
            self._match_soon()

    def tick(self, _: Tick) -> None:
        self.request(names.TASK_QUEUE, ReadBacklog(), self._learn_backlog)

    def _learn_backlog(self, answer: object) -> None:
        # While claims are in flight the queue's numbers and ours count some tasks twice; the next tick will do.
        if isinstance(answer, Backlog) and not self._reserved:
            self._backlog.replace(answer.by_needs, answer.pinned)
            self._match_soon()

    # --- pairing --------------------------------------------------------------------------------------------------

    def _match_soon(self) -> None:
        if not self._is_match_due:
            self._is_match_due = True
            self.actor_ref.tell(Match())

    def match(self, _: Match) -> None:
        self._is_match_due = False
        offers: list[Offer] = []
        taken_for: list[frozenset[str] | None] = []
        for agent_id, capabilities, needs in self._backlog.pairs(self._ready):
            offers.append(Offer(agent_id, capabilities))
            taken_for.append(needs)
            if len(offers) == MAX_OFFERS:
                self._claim(tuple(offers), tuple(taken_for))
                offers, taken_for = [], []
        if offers:
            self._claim(tuple(offers), tuple(taken_for))

    def _claim(self, offers: tuple[Offer, ...], taken_for: tuple[frozenset[str] | None, ...]) -> None:
        self._reserved.update(offer.agent_id for offer in offers)
        self.request(names.TASK_QUEUE, Claim(offers), lambda answer: self._claimed(offers, taken_for, answer))

    def _claimed(self, offers: tuple[Offer, ...], taken_for: tuple[frozenset[str] | None, ...], answer: object) -> None:
        for offer in offers:
            decrement(self._reserved, offer.agent_id)
        if not isinstance(answer, tuple):
            logger.warning("a claim for %d agents has no answer: %s", len(offers), answer)
            for agent_id in dict.fromkeys(offer.agent_id for offer in offers):
                self.send(names.agent_fsm(agent_id), Reconcile())
            return
        handed: dict[str, list[Task]] = {}
        for offer, needs, task in zip(offers, taken_for, answer, strict=True):
            if task is None:
                self._take_back(offer)
            else:
                self._correct_backlog(offer, needs, task)
                handed.setdefault(offer.agent_id, []).append(task)
        for agent_id, tasks in handed.items():
            self._hand_out(agent_id, tuple(tasks))
        self._match_soon()

    def _take_back(self, offer: Offer) -> None:
        if offer.agent_id not in self._left_while_reserved:
            self._ready.add_one(offer.agent_id, offer.capabilities)
        elif offer.agent_id not in self._reserved:
            self._left_while_reserved.discard(offer.agent_id)

    def _correct_backlog(self, offer: Offer, needs: frozenset[str] | None, task: Task) -> None:
        got = None if task.assign_to is not None else frozenset(task.needed_capabilities)
        if got != needs:  # the best task was another one than the one that made us offer the agent
            self._backlog.drop(got or frozenset(), task.assign_to)
            self._backlog.add(needs or frozenset(), offer.agent_id if needs is None else None)

    def _hand_out(self, agent_id: str, tasks: tuple[Task, ...]) -> None:
        if agent_id not in self._reserved:
            self._left_while_reserved.discard(agent_id)
        self._number += 1
        if self.send(names.agent_fsm(agent_id), Assign(tasks, self._number)):
            self._on_the_way.setdefault(agent_id, []).append((self._number, len(tasks)))
            return
        for task in tasks:
            self.send(names.TASK_QUEUE, Reclaim(task.id, task.generation, ReclaimCause.AGENT_LEFT))
