"""What one task costs the queue alone: submitted, claimed and completed, in batches of 250.

``python -m bench.queue_alone`` prints instructions a task, counted by Valgrind (Debian's package ``valgrind``): nearly the same
on every run and on a busy machine, where a microsecond is not. Two runs of different length are compared, so that the start costs
nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pykka

from actors.task_queue import TaskQueue
from actors.vocabulary import tasks as v
from supervision.runtime import Runtime

BULK = 250
SHORT, LONG = 2 * BULK, 10 * BULK


def work(tasks: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        queue = Runtime().spawn(TaskQueue, Path(folder) / "hub.db", name="task_queue")
        for _ in range(tasks // BULK):
            _live(queue)
    sys.stdout.flush()
    os._exit(0)  # the queue's thread would go on


def _live(queue: pykka.ActorRef[Any]) -> None:
    """One batch from its submission to its end."""
    new = tuple(v.NewTask(description="benchmark", metadata={"n": 1}) for _ in range(BULK))
    queue.ask(v.SubmitTasks(new, "me"))
    claimed = queue.ask(v.Claim(tuple(v.Offer("a", frozenset()) for _ in range(BULK))))
    queue.ask(v.Together(tuple(v.Complete(task.id, "a", task.generation, "ok", 0) for task in claimed)))


def instructions(tasks: int) -> int:
    with tempfile.NamedTemporaryFile("r") as log:
        argv = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}"]
        subprocess.run([*argv, sys.executable, "-m", "bench.queue_alone", str(tasks)], check=True)
        counted = re.search(r"Collected : (\d+)", log.read())
        assert counted is not None, "valgrind did not say how many instructions it saw"
        return int(counted.group(1))


def main() -> None:
    if len(sys.argv) > 1:
        work(int(sys.argv[1]))
    print((instructions(LONG) - instructions(SHORT)) // (LONG - SHORT), "instructions a task")


if __name__ == "__main__":
    main()
