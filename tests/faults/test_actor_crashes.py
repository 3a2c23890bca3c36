"""Every actor, every message that it knows, an exception before or after its effect: nothing is lost, done twice, or hangs.

One script lets a whole hub in a box see every message of every vocabulary. It is played once for each fault, and afterwards all
tasks must have their end, every result must have been accepted once, every caller must have been answered, and the counters must
be what is in the database. ``after`` is the nastiest moment: for the queue right behind the commit, before anybody was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from actors.agent_fsm import AgentFSM
from actors.broadcaster import Broadcaster
from actors.dashboard_state import CountWork, DashboardState, Rebuild
from actors.gateway import Gateway
from actors.output import Output
from actors.scheduler import Scheduler
from actors.sqlite_storage import SqliteStorage
from actors.task_queue import TaskQueue
from actors.vocabulary import names
from actors.vocabulary import tasks as v
from actors.vocabulary.audit import Audited
from supervision.actor import Request
from supervision.cell import Cell
from supervision.core_messages import StartChildRequest
from supervision.supervisor import Supervisor
from supervision.watcher import Watcher
from tests.harness.box import Box
from tests.harness.box_web import BoxAgent, BoxWeb

ACTORS = (TaskQueue, AgentFSM, Scheduler, Gateway, DashboardState, Broadcaster, Watcher, Output)

#: A bundle is not a message of its own: what is in it is.
PRODUCT = sorted(
    {(actor.__name__, message.__name__) for actor in ACTORS for message in actor.handles if message is not v.Together}
    | {(Supervisor.__name__, StartChildRequest.__name__)}
)

#: The handler of this one ends the actor, so nothing of it comes after its effect.
NO_SUCH_MOMENT = {(AgentFSM.__name__, "GraceOver", "after")}

FINAL = {"completed", "dead_letter", "cancelled"}


class Injected(Exception):
    """What the test throws."""


class Fault:
    """Raises once: at the first message of a type in an actor of a class. Counts all that it sees."""

    def __init__(
        self, actor: str = "", message: str = "", when: str = "", error: type[BaseException] = Injected
    ) -> None:
        self._target = (actor, message)
        self._when = when
        self._error = error
        self.seen: Counter[tuple[str, str]] = Counter()
        self.struck = False
        self._batch: list[tuple[str, str]] = []

    def see(self, actor: object, message: object, when: str) -> None:
        pair = (type(actor).__name__, type(message).__name__)
        if when == "before":
            self.seen[pair] += 1
        self._strike([pair], when)

    def _strike(self, pairs: list[tuple[str, str]], when: str) -> None:
        if when == self._when and not self.struck and self._target in pairs:
            self.struck = True
            raise self._error("injected")

    # --- the queue takes many at once ---------------------------------------------------------------------------------

    def see_batch(self, requests: list[Request]) -> None:
        messages = [request.message for request in requests]
        messages += [one for message in messages if isinstance(message, v.Together) for one in message.requests]
        messages += [message.request for message in messages if isinstance(message, Audited)]
        self._batch = [(TaskQueue.__name__, type(message).__name__) for message in messages]
        self.seen.update(self._batch)
        self._strike(self._batch, "before")

    def see_commit(self) -> None:
        batch, self._batch = self._batch, []
        self._strike(batch, "after")


@contextmanager
def injected(fault: Fault) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        receive, on_batch, commit = Cell._receive, TaskQueue.on_batch, SqliteStorage.commit

        def receiving(cell: Cell, message: Any) -> Any:
            fault.see(cell.actor, message, "before")
            answer = receive(cell, message)
            fault.see(cell.actor, message, "after")
            return answer

        def batching(queue: TaskQueue, requests: list[Request]) -> None:
            fault.see_batch(requests)
            on_batch(queue, requests)

        def committing(storage: SqliteStorage) -> None:
            commit(storage)
            fault.see_commit()

        patch.setattr(Cell, "_receive", receiving)
        patch.setattr(TaskQueue, "on_batch", batching)
        patch.setattr(SqliteStorage, "commit", committing)
        yield


class Script:
    """A day in the life of a hub, short. ``keys`` make every submit repeatable, as callers do who must not submit twice."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.web = BoxWeb(box)
        self.accepted: dict[str, str] = {}
        """task -> description."""

    def submit(self, description: str, **fields: Any) -> str:
        task = {"description": description, "idempotency_key": f"key-{len(self.accepted)}", **fields}
        [answer] = self.web.insist("tasks.submit", tasks=[task], submitted_by="me")
        self.accepted[answer["task_id"]] = description
        return str(answer["task_id"])

    def play(self) -> None:
        self._agents_work()
        self._people_ask()
        self._agents_come_and_go()
        self._time_passes()

    def _agents_work(self) -> None:
        self.one, self.many = BoxAgent("one", 1), BoxAgent("many", 3)
        self.web.connect(self.one)
        self.web.connect(self.many)
        for description in ("ok", "ok", "fail", "reject", "silent"):
            self.submit(description, needed_capabilities=["x"])
        self.submit("ok", assign_to="one", priority=0)
        self.submit("ok", needed_capabilities=["nobody-has-this"], complete_by=self.box.runtime.clock.time_ms() + 5_000)
        dead = self.submit("fail", max_retries=1)
        self.pause(1)
        self.web.call("tasks.retry", task_id=dead)
        self.web.say(self.one, {"type": "status", "status": "busy"}, {"type": "resource_report", "cpu_percent": 1.0})

    def _people_ask(self) -> None:
        call = self.web.call
        cancelled = self.submit("ok", assign_to="nobody")
        for op, args in (
            ("tasks.get", {"task_id": cancelled}),
            ("tasks.explain", {"task_id": cancelled}),
            ("tasks.duplicates", {"task_id": cancelled}),
            ("tasks.list", {}),
            ("tasks.dead_letter", {}),
            ("tasks.stats", {}),
            ("tasks.find", {}),
            ("tasks.count", {}),
            ("tasks.suggest", {"key": "agent"}),
            ("tasks.lane", {"task_id": cancelled, "lane": 1}),
            ("agents.list", {}),
            ("agents.get", {"agent_id": "one"}),
            ("dashboard.snapshot", {}),
            ("dashboard.recent", {}),
            ("dashboard.health", {}),
            ("dashboard.figures", {}),
            ("dashboard.trends", {"size": 60, "since": 0}),
            ("health.acknowledge", {"condition_id": "no_agents", "by": "me"}),
            ("dashboard.figures", {}),
            ("dashboard.trends", {"size": 60, "since": 0}),
            ("health.acknowledge", {"condition_id": "no_agents", "by": "me"}),
            ("settings.write", {"key": "k", "value": 1}),
            ("settings.read", {"key": "k"}),
            ("enrolment.create", {"code_sha256": b"c" * 32, "expires_at": 2**50}),
            ("enrolment.redeem", {"code_sha256": b"c" * 32, "identity": identity("enrolled")}),
            ("identities.create", {"identity": identity("agent"), "rotate": True}),
            ("identities.list", {}),
            ("identities.end_old", {"name": "agent"}),
            ("identities.revoke", {"name": "agent"}),
            ("agents.disconnect", {"agent_id": "nobody"}),
            ("audit.read", {}),
            ("fleet.page", {}),
            ("fleet.agent", {"agent_id": "one"}),
            ("hub.tree", {}),
            ("hub.figures", {}),
            *notifying(),
            ("output.read", {"task_id": cancelled}),
        ):
            call(op, **args)
        self.web.insist("tasks.cancel", task_id=cancelled, cancelled_by="me")
        self._reassign(self.submit("ok", assign_to="nobody"))
        self.web.report_rejected(3)
        for order in ("pause", "drain", "resume"):
            self.web.insist(f"agents.{order}", agent_id="one")
        self._people_act_on_many()

    def _reassign(self, task_id: str) -> None:
        """Again when there was no answer; what an agent has by then stays where it is."""
        for _ in range(3):
            self.web.call("tasks.reassign", task_id=task_id, agent="one")
            self.web.run()

    def _people_act_on_many(self) -> None:
        """Discard a dead letter and take it back, then retry all of them."""
        call = self.web.call
        dead = self.submit("fail", max_retries=1)
        call("tasks.dead_groups")
        call("dead.mute", group="nobody", for_ms=60_000, by="me")
        call("dead.unmute", group="nobody")
        call("tasks.discard", task_id=dead)
        call("tasks.recover", task_id=dead)
        # Not of one that nobody can do: it would wait for ever when its operation is not cancelled in time.
        can_be_done = {"terms": [{"key": "needs", "values": ["nobody-has-this"], "negated": True}]}
        made = call("operations.preview", action="retry", filter=can_be_done)
        if made is not None and made.refusal is None:
            id_ = made.value["preview"]
            call("operations.continue_preview", preview=id_)
            call("operations.start", preview=id_, action="retry")
            operation = id_.replace("pv-", "op-")
            call("operations.get", operation=operation)
            call("operations.list")
            call("operations.cancel", operation=operation)

    def _agents_come_and_go(self) -> None:
        self._one_comes_back()
        self._one_stays_away()
        self._one_is_replaced()
        self.box.crash(names.SCHEDULER)  # and the gateway with it, so every link is cut
        self._tell(names.DASHBOARD_STATE, Rebuild())
        self._tell(names.DASHBOARD_STATE, CountWork())
        self.web.run()

    def _one_comes_back(self) -> None:
        agent = BoxAgent("back", 1)
        self.web.connect(agent)
        task_id = self.submit("slow", assign_to="back")
        self.web.watch(task_id)
        printed = {"seq": 1, "count": 1, "lines": b'["out","x"]'}
        about = {"task_id": task_id, "generation": agent.holding.get(task_id, 1)}
        self.web.say(agent, {"type": "task_output", **about, **printed})
        self.web.drop(agent)
        self.web.connect(agent)
        report = {"task_id": task_id, "generation": agent.holding.get(task_id, 1), "status": "working"}
        self.web.say(agent, {"type": "state_report", **report}, {"type": "task_recovering", **report})
        self.web.say(agent, *agent.finish())

    def _one_stays_away(self) -> None:
        agent = BoxAgent("away", 1)
        self.web.connect(agent)
        self.submit("slow", assign_to="away")
        self.web.drop(agent)
        self.pause(12)
        self.web.call("agents.forget", agent_id="away")
        self.web.connect(agent)

    def _one_is_replaced(self) -> None:
        newer = BoxAgent("many", 3)
        newer.connection = "many-newer"
        self.web.agents.remove(self.many)
        self.web.connect(newer)

    def _tell(self, name: str, message: object) -> None:
        ref = self.box.runtime.names.whereis(name)
        if ref is not None:
            ref.tell(message)
        self.box.runtime.settle()

    def _time_passes(self) -> None:
        """Long enough for every timeout and back-off, with signs of life in between."""
        for _ in range(8):
            self.pause(9)
        self.heal()

    def pause(self, seconds: float) -> None:
        self.box.runtime.advance(seconds)
        self.web.show_life()

    def heal(self) -> None:
        """No more faults: everything has to come to its end."""
        for _ in range(60):
            for agent in self.web.agents:
                if not agent.is_up:
                    self.web.connect(agent)
                if agent.holding:
                    self.web.say(agent, *agent.finish())
            self.pause(5)
            if all(self.box.task(task_id).status in FINAL for task_id in self.accepted):
                return

    # --- what must hold ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        tasks = {task_id: self.box.task(task_id) for task_id in self.accepted}
        open_ones = {
            task_id: (task.status, task.assigned_to) for task_id, task in tasks.items() if task.status not in FINAL
        }
        assert not open_ones, f"not at their end: {open_ones}"
        results = Counter(task_id for agent in self.web.agents for task_id, _ in set(agent.results))
        assert all(count == 1 for count in results.values()), "two attempts of one task were accepted"
        for task_id, task in tasks.items():
            completions = [entry for entry in task.history if entry.event == "completed"]
            assert len(completions) == (task.status == "completed"), task.history
            assert len({(entry.event, entry.timestamp, str(entry.details)) for entry in task.history}) == len(
                task.history
            )
            assert task.status != "completed" or task_id in results or task.assigned_to == "many"
        self._check_counters(Counter(str(task.status) for task in tasks.values()))
        assert self.box.runtime.abandoned == 0
        assert self.box.fatal == []
        for name in (
            names.TASK_QUEUE,
            names.SCHEDULER,
            names.GATEWAY,
            names.DASHBOARD_STATE,
            names.BROADCASTER,
            names.WATCHER,
            names.OUTPUT,
        ):
            assert self.box.runtime.names.whereis(name) is not None, f"{name} did not come back"

    def _check_counters(self, counted: Counter[str]) -> None:
        stats = self.box.queue(v.ReadStats())
        shown = {**stats.by_status, "dead_letter": stats.dead_letter}
        assert {status: number for status, number in shown.items() if number} == dict(counted)
        assert sum(stats.queued_by_priority.values()) == 0
        snapshot = self.web.insist("dashboard.snapshot")
        assert snapshot is not None


def notifying() -> list[tuple[str, dict[str, Any]]]:
    """What the pages and the notifier ask for: a webhook, a browser, and a delivery from its notice to its end."""
    webhook = {"id": "w", "url": "https://example.org/", "secret": "whsec_AAAA", "events": [], "created_at": 1}
    browser = {"id": "b", "endpoint": "https://fcm.googleapis.com/b", "p256dh": "p", "auth": "a", "created_at": 1}
    return [
        ("notify.create_webhook", {"webhook": webhook}),
        ("notify.enable_webhook", {"id": "w"}),
        ("notify.subscribe", {"subscription": browser}),
        ("notify.keep_push_key", {"private_key": "x", "public_key": "y"}),
        ("notify.targets", {}),
        ("notify.watch", {"lost_before": 2**50}),
        ("notify.record", {"memory": {}, "notices": [{"id": "msg_1", "kind": "health.worse", "body": "{}"}]}),
        ("notify.test", {"target": "webhook:w", "body": "{}"}),
        ("notify.outbox", {}),
        ("notify.attempt", {"delivery_id": 1, "attempt": 1, "is_delivered": True, "status": 200}),
        ("notify.redeliver", {"target": "webhook:w", "delivery_id": 1}),
        ("notify.deliveries", {"target": "webhook:w"}),
        ("notify.remove", {"target": "push:b"}),
    ]


def identity(name: str) -> dict[str, Any]:
    secret = name.encode().ljust(32, b"0")[:32]
    return {"token_id": f"id-{name}", "name": name, "role": "agent", "secret_sha256": secret, "created_at": 1}


def play(folder: Path, fault: Fault) -> Script:
    with injected(fault):
        box = Box(folder)
        try:
            script = Script(box)
            script.play()
            script.check()
        finally:
            box.close()
    return script


def test_the_script_lets_every_actor_see_every_message_that_it_knows(tmp_path: Path) -> None:
    fault = Fault()
    script = play(tmp_path, fault)
    missing = [pair for pair in PRODUCT if not fault.seen[pair]]
    assert not missing, f"{missing}"
    assert script.web.unavailable <= 1, "only what the script itself broke"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every exception of the usual kind; of the other kinds, which take the same path, one in eight unless ``--full``."""
    if "strike" not in metafunc.fixturenames:
        return
    usual = "usual" in metafunc.function.__name__
    everything = usual or metafunc.config.getoption("--full")
    strikes = [
        (*pair, when, error)
        for pair in PRODUCT
        for when in ("before", "after")
        for error in ((Injected,) if usual else (SystemExit, MemoryError, KeyboardInterrupt))
        if (*pair, when) not in NO_SUCH_MOMENT and (everything or _place(*pair, when, error.__name__) % 8 == 0)
    ]
    metafunc.parametrize("strike", strikes, ids=lambda strike: "-".join([*strike[:3], strike[3].__name__]))


def _place(*words: str) -> int:
    """The same in every run, unlike ``hash``."""
    return sum(ord(letter) * place for place, letter in enumerate(" ".join(words), 1))


Strike = tuple[str, str, str, type[BaseException]]


def test_a_usual_exception_costs_one_restart_and_nothing_else(tmp_path: Path, strike: Strike) -> None:
    fault = Fault(*strike)
    play(tmp_path, fault)
    assert fault.struck


def test_so_does_one_that_would_end_a_process(tmp_path: Path, strike: Strike) -> None:
    fault = Fault(*strike)
    play(tmp_path, fault)
    assert fault.struck
