"""Clients that keep a hub busy and write down what they asked and what they were told (``history``)."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.harness.history import OK, History, Operation, read
from tests.harness.hub import Answer, Hub

#: Tasks that may be open before the submitter waits: load, but no backlog that outlives the test.
OPEN_LIMIT = 30

CLIENT_TIMEOUT_S = 8.0
PRIORITIES = ("urgent", "high", "normal", "low")
STATUSES = ("queued", "assigned", "completed", "cancelled")

#: Answers that promise that nothing was changed.
REFUSED_STATUSES = frozenset({400, 404, 409, 422, 429})


class Load:
    """A submitter, a canceller and a reader as threads. Leaving the context stops them; ``operations`` is what they saw."""

    def __init__(self, hub: Hub, path: Path, seed: int, period_s: float = 0.03) -> None:
        self._hub = hub
        self._path = path
        self._history = History(path)
        self._random = random.Random(seed)
        self._period_s = period_s
        self._numbers = count()
        self._tasks: list[str] = []
        self._ended = 0
        self._stop = threading.Event()
        self.snapshots: list[tuple[str, int]] = []
        self.failures: list[BaseException] = []
        steps = {"submitter": self._submit, "canceller": self._cancel, "reader": self._look}
        self._threads = [threading.Thread(target=self._repeat, args=(step,), name=name) for name, step in steps.items()]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, step: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(self._period_s):
                step()
        except BaseException as error:
            self.failures.append(error)

    # --- clients ------------------------------------------------------------------------------------------------------

    def _submit(self) -> None:
        """One task, repeated with its key until there is a definite answer; given up only when the load stops."""
        if len(self._tasks) - self._ended > OPEN_LIMIT:
            return
        number = next(self._numbers)
        priority = number % 4
        body = {"description": f"task {number}", "priority": PRIORITIES[priority], "max_retries": 20}
        while not self._stop.is_set():
            with self._history.call("submitter", "submit", key=f"key-{number}", priority=priority) as call:
                answer = self._ask("POST", "/api/tasks", body, {"Idempotency-Key": f"key-{number}"})
                if answer is not None and answer.status in (200, 201):
                    call.ok(task=answer.json["task_id"], duplicate=answer.status == 200)
                    self._tasks.append(answer.json["task_id"])
                    return
                if answer is not None and answer.status in REFUSED_STATUSES:
                    call.fail(status=answer.status)
            time.sleep(0.02)

    def _cancel(self) -> None:
        if self._tasks and self._random.random() < 0.1:
            task = self._random.choice(self._tasks[-OPEN_LIMIT:])
            with self._history.call("canceller", "cancel", task=task) as call:
                answer = self._ask("POST", f"/api/tasks/{task}/cancel", {})
                if answer is not None and answer.status == 200:
                    call.ok()
                elif answer is not None and answer.status in REFUSED_STATUSES:
                    call.fail(status=answer.status)

    def _look(self) -> None:
        self._count()
        self._snapshot()
        if self._tasks:
            self.read(self._random.choice(self._tasks[-OPEN_LIMIT:]))

    def _count(self) -> None:
        with self._history.call("reader", "count") as call:
            answer = self._ask("GET", "/api/tasks/stats")
            if answer is not None and answer.status == 200:
                stats = answer.json
                call.ok(total=sum(stats["by_status"].values()) + stats["dead_letter"])
                ended = sum(stats["by_status"].get(status, 0) for status in ("completed", "cancelled"))
                self._ended = ended + stats["dead_letter"]

    def _snapshot(self) -> None:
        with self._history.call("reader", "dashboard") as call:
            answer = self._ask("GET", "/api/dashboard/state")
            if answer is not None and answer.status == 200:
                queue = answer.json["queue"]
                call.ok(total=sum(queue["by_status"].get(status, 0) for status in STATUSES) + queue["dead_letter"])
                self.snapshots.append((answer.json["boot_id"], answer.json["seq"]))

    def read(self, task: str) -> None:
        with self._history.call("reader", "read", task=task) as call:
            answer = self._ask("GET", f"/api/tasks/{task}")
            if answer is not None and answer.status == 200:
                call.ok(**seen(answer.json))
            elif answer is not None and answer.status == 404:
                call.fail(status=404)

    def _ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer | None:
        """None: nobody knows what became of it. Half an answer, cut off in its headers, has a status and no body."""
        try:
            answer = self._hub.request(method, path, body, headers=headers, timeout_s=CLIENT_TIMEOUT_S)
            return answer if answer.json is not None else None
        except (urllib.error.URLError, OSError, ValueError, EOFError):
            return None
        except Exception as error:
            if type(error).__module__ == "http.client":  # half an answer, or none
                return None
            raise

    # --- after the run ------------------------------------------------------------------------------------------------

    def operations(self) -> list[Operation]:
        """Every submission gets the task of its key, if any of its tries was told."""
        self._history.close()
        found = read(self._path)
        ids = {o.args["key"]: o.value["task"] for o in found if o.op == "submit" and o.outcome == OK}
        return [
            replace(o, args={**o.args, "task": ids.get(o.args["key"], o.args["key"])}) if o.op == "submit" else o
            for o in found
        ]


def seen(task: dict[str, Any]) -> dict[str, Any]:
    """What a read says of the state in the terms of ``linearizability``."""
    owner = task["assigned_to"] if task["status"] in ("assigned", "completed") else None
    return {"status": task["status"], "gen": task["generation"], "owner": owner}
