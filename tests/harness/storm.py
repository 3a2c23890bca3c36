"""A hub under load whose processes are killed, stopped and told to end, one fault after the other, and the verdict afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.harness import agent_log, checks, linearizability
from tests.harness.fleet import Fleet
from tests.harness.history import Operation
from tests.harness.hub import is_running
from tests.harness.load import Load, seen
from tests.harness.moments import HUB_MOMENTS, Fired
from tests.harness.trapped import Sidecar, TrappedHub
from tests.harness.waiting import wait_for

#: No restart limit ends the run, and what an agent drops is taken back soon.
FLAGS = ("--max-restarts", "10000", "--hub-max-restarts", "10000", "--grace", "1s", "--boot-grace", "3s")

#: A moment that does not come within this time under load is let go, and tried again at the end.
MOMENT_LIMIT_S = 3.0

#: Those of the sidecar take longer: for 5 s after one that was killed before it accepted, the hub gives that agent no work.
AGENT_MOMENT_LIMIT_S = 15.0

#: Moments that the load does not bring about several times in that time.
RARE = ("reclaim.", "cancel.")
RECOVERY_LIMIT_S = 40.0

#: After the last fault everything has to have its end within this time.
LIVENESS_LIMIT_S = 30.0

#: A moment that was not reached is tried once more, with so many times the patience: a machine may be busy with other things.
SECOND_PATIENCE = 5.0
PAUSE_S = 0.7


@dataclass(frozen=True, slots=True)
class Shot:
    """``kind``: root, hub, web or agent. ``moment`` None: whenever. ``action``: kill, stop, term or raise."""

    kind: str
    moment: str | None = None
    action: str = "kill"


@dataclass
class Report:
    """``recovery_s``: by kind and action, how long until the part served again."""

    fired: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    recovery_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    tasks: int = 0
    operations: int = 0
    recovered: int = 0
    repeated_work: int = 0

    def add(self, other: Report) -> None:
        for mine, theirs in ((self.fired, other.fired), (self.missed, other.missed)):
            for name, number in theirs.items():
                mine[name] += number
        for name, seconds in other.recovery_s.items():
            self.recovery_s[name] += seconds
        self.faults += other.faults
        self.tasks += other.tasks
        self.operations += other.operations
        self.recovered += other.recovered
        self.repeated_work += other.repeated_work

    @property
    def shots(self) -> int:
        return sum(self.fired.values())

    @property
    def kills(self) -> int:
        """Those of the faults that were a SIGKILL; ``_note`` puts every other action in brackets."""
        return sum(number for name, number in self.fired.items() if "(" not in name)

    def __str__(self) -> str:
        lines = [
            f"{self.shots} faults ({self.kills} SIGKILLs), {self.tasks} tasks, {self.operations} operations judged,"
            f" {len(self.faults)} violations,"
            f" {self.recovered} unknown submissions took place, {self.repeated_work} attempts worked again"
        ]
        for name, seconds in sorted(self.recovery_s.items()):
            ordered = sorted(seconds)
            p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            lines.append(f"  {name:<12} n={len(ordered):<4} p50={p50:.2f}s p99={p99:.2f}s max={ordered[-1]:.2f}s")
        lines.append("  at moments: " + ", ".join(f"{name} {n}" for name, n in sorted(self.fired.items())))
        if self.missed:
            lines.append("  not reached: " + ", ".join(f"{name} {n}" for name, n in sorted(self.missed.items())))
        return "\n".join(lines)


class Storm:
    """One hub with three test agents and one real sidecar. ``fire`` returns when everything is back."""

    def __init__(self, folder: Path, seed: int, patience: float = 1.0) -> None:
        """``patience``: every limit so many times as long, for a machine that has other things to do."""
        self._folder = folder
        self._patience = patience
        self._recovery_limit_s = RECOVERY_LIMIT_S * patience
        self._liveness_limit_s = LIVENESS_LIMIT_S * patience
        self._random = random.Random(seed)
        self._seed = seed
        self._stack = ExitStack()
        self.report = Report()

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        self.hub = TrappedHub(self._folder / "data", *FLAGS)
        self.hub.start_limit_s *= self._patience
        self._stack.enter_context(self.hub)
        self._fleet = self._stack.enter_context(Fleet(self.hub, self._folder / "fleet"))
        for number in range(3):
            self._fleet.add(f"agent-{number}", work_ms=20)
        self._sidecar = self._stack.enter_context(Sidecar(self.hub, self._folder / "sidecar", "real", work_s=0.2))
        wait_for(lambda: self._fleet.online() == 3, 60, "the fleet")
        self._load = self._stack.enter_context(Load(self.hub, self._folder / "history", self._seed))
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.trap.disarm()
        self._stack.close()

    # --- one fault ----------------------------------------------------------------------------------------------------

    def fire_all(self, shots: Iterable[Shot]) -> None:
        """Each of them; those whose moment did not come once more at the end."""
        for shot in [shot for shot in shots if not self.fire(shot)]:
            if not self.fire(shot, SECOND_PATIENCE):
                assert shot.moment is not None
                self.report.missed[shot.moment] += 1

    def fire(self, shot: Shot, patience: float = 1.0) -> bool:
        """False: its moment did not come within its time, ``patience`` times as long as usual."""
        if shot.kind == "root":
            self._fire_at_root(shot)
        elif shot.moment is None:
            self._fire_anywhere(shot)
        else:
            return self._fire_at_moment(shot, shot.moment, patience)
        return True

    def _fire_anywhere(self, shot: Shot) -> None:
        time.sleep(self._random.uniform(0, 0.1))  # a random moment is the point
        pid = self._target(shot.kind)
        at = time.monotonic()
        if shot.action == "stop":
            os.kill(pid, signal.SIGSTOP)
        else:
            os.kill(pid, signal.SIGTERM if shot.action == "term" else signal.SIGKILL)
        self._recover(shot, Fired("random", pid, at))

    def _target(self, kind: str) -> int:
        if kind == "agent":
            return self._sidecar.process.pid
        return self.hub.hub_pid if kind == "hub" else self._random.choice(self.hub.web_pids)

    def _fire_at_moment(self, shot: Shot, moment: str, patience: float) -> bool:
        trap, chosen = self.hub.trap, self._random.randint(1, 3)
        trap.arm(moment, shot.action, 1 if moment.startswith(RARE) or moment not in HUB_MOMENTS else chosen)
        victim = self.hub.hub_pid
        if moment.startswith("boot."):
            os.kill(victim, signal.SIGKILL)
        elif moment.startswith(
            "reclaim."
        ):  # an attempt must be given up: its agent goes away for longer than the grace
            self._kill_sidecar_at_work()
        with contextlib.suppress(AssertionError):
            limit_s = AGENT_MOMENT_LIMIT_S if shot.kind == "agent" else MOMENT_LIMIT_S
            wait_for(trap.fired, limit_s * patience * self._patience, moment)
        trap.disarm()
        fired = trap.fired()
        if fired is not None:
            self._recover(shot, fired)
        elif moment.startswith(
            "boot."
        ):  # it starts too slowly to come there in time, and has to come back all the same
            self._recover(Shot("hub"), Fired("random", victim, time.monotonic()))
        if moment.startswith("reclaim."):
            self._sidecar.restart()
        return fired is not None

    def _kill_sidecar_at_work(self) -> None:
        done = len(self._sidecar.effects())
        wait_for(lambda: len(self._sidecar.effects()) > done, self._recovery_limit_s, "a task of the sidecar")
        self._sidecar.process.kill()
        self._sidecar.process.wait(timeout=10)

    def _recover(self, shot: Shot, fired: Fired) -> None:
        if shot.action == "stop":
            time.sleep(PAUSE_S)  # how long the pause is
            os.kill(fired.pid, signal.SIGCONT)
            fired = Fired(fired.moment, fired.pid, time.monotonic())
        stays = shot.action in ("stop", "raise")
        if shot.kind == "agent" and not stays:
            self._sidecar.restart()
        elif shot.kind == "web" and not stays:
            wait_for(lambda: self._is_replaced(fired.pid), self._recovery_limit_s, "a new web process")
        elif shot.kind == "hub" and not stays:
            wait_for(lambda: self._has_new_hub(fired.pid), self._recovery_limit_s, "a new hub")
        wait_for(self.serves, self._recovery_limit_s, "an answer")
        self._note(shot, fired)

    def _has_new_hub(self, pid: int) -> bool:
        """What the ready file names may be one of before: a hub that dies while it starts is never named there."""
        return self.hub.hub_pid != pid and is_running(self.hub.hub_pid)

    def _is_replaced(self, pid: int) -> bool:
        webs = self.hub.web_pids
        return pid not in webs and len(webs) == 2 and all(map(is_running, webs))

    def serves(self) -> bool:
        try:
            return self.hub.get("/api/tasks/stats", timeout_s=5).status == 200
        except Exception:  # whatever a client sees of processes that die
            return False

    def _fire_at_root(self, shot: Shot) -> None:
        process = self.hub.process
        assert process is not None
        family = [self.hub.hub_pid, *self.hub.web_pids]
        at = time.monotonic()
        if shot.action == "stop":
            process.send_signal(signal.SIGSTOP)
            self._recover(shot, Fired("random", process.pid, at))
            assert self.hub.hub_pid == family[0], "a healthy hub was restarted because its root had been away"
            return
        process.send_signal(signal.SIGTERM if shot.action == "term" else signal.SIGKILL)
        status = process.wait(timeout=self._recovery_limit_s)
        if shot.action == "term" and status != 0:
            self.report.faults.append(f"the root ended with {status} after SIGTERM")
        wait_for(lambda: not any(is_running(pid) for pid in family), 10, "the end of every process")
        if shot.moment is not None:
            self._die_while_starting(shot.moment)
        self.hub.start()
        wait_for(self.serves, self._recovery_limit_s, "an answer")
        self._note(shot, Fired(shot.moment or "random", process.pid, at))

    def _die_while_starting(self, moment: str) -> None:
        self.hub.trap.arm(moment)
        self.hub.launch()
        assert self.hub.process is not None
        self.hub.process.wait(timeout=self._recovery_limit_s)
        if self.hub.trap.fired() is None:
            self.report.faults.append(f"the root never came to {moment}")

    def _note(self, shot: Shot, fired: Fired) -> None:
        name = fired.moment if fired.moment != "random" else f"{shot.kind} at random"
        self.report.fired[name if shot.action == "kill" else f"{name} ({shot.action})"] += 1
        self.report.recovery_s[f"{shot.kind} {shot.action}"].append(time.monotonic() - fired.at)

    # --- the verdict --------------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Stop the load, wait until everything is done, read every task once more, and hold it against what clients saw."""
        limit_s = self._liveness_limit_s
        self.hub.trap.disarm()
        self._load.stop()
        healed_at = time.monotonic()
        with contextlib.suppress(AssertionError):
            wait_for(self._is_settled, limit_s + 10, "every task being final")
        settled_at = time.monotonic()
        tasks = self.hub.all_tasks()
        final = {task["id"]: seen(task) for task in tasks}
        for task_id in final:
            self._load.read(task_id)
        effects = self._sidecar.effects()
        operations = [
            *self._load.operations(),
            *agent_log.operations(self._fleet.history()),
            *agent_log.from_effects(effects),
        ]
        self.report.faults += [f"a client failed: {error!r}" for error in self._load.failures]
        self.report.faults += verdict(operations, final, self._load.snapshots)
        statuses = {task: state["status"] for task, state in final.items()}
        self.report.faults += checks.liveness(statuses, healed_at, settled_at, limit_s)
        self._count(operations, statuses, effects)

    def _is_settled(self) -> bool:
        answer = self.hub.get("/api/tasks/stats")
        return answer.status == 200 and not any(answer.json["by_status"].get(one) for one in ("queued", "assigned"))

    def _count(
        self, operations: list[Operation], statuses: dict[str, str], effects: Iterable[tuple[str, str, int]]
    ) -> None:
        ran = [(task, generation) for _, task, generation in effects]
        ran += [(e["task_id"], e["generation"]) for e in self._fleet.history() if e["what"] == "effect"]
        self.report.tasks = len(statuses)
        self.report.operations = len(operations)
        self.report.recovered = checks.recovered(operations, statuses)
        self.report.repeated_work = checks.repeated_work(ran)


def verdict(
    operations: list[Operation],
    final: dict[str, dict[str, object]],
    snapshots: list[tuple[str, int]],
    before: int = 0,
) -> list[str]:
    """Everything that the checkers say of one run. ``before``: how many tasks were there when the clients came."""
    statuses = {task: str(state["status"]) for task, state in final.items()}
    return [
        *checks.total_queue(operations, statuses),
        *checks.exactly_once(operations, final),
        *checks.rising_generations(operations),
        *checks.order(operations),
        *checks.conservation(operations, exact=True, before=before),
        *checks.conservation(operations, exact=False, op="dashboard", before=before),
        *checks.rising_sequence(snapshots),
        *linearizability.faults(operations, hidden=True),
    ]
