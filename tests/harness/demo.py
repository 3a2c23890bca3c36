"""A real ``agentcom demo`` in a process of its own: a hub that is full of invented work, and holds still when it is frozen."""

from __future__ import annotations

from pathlib import Path

from tests.harness.hub import Hub
from tests.harness.waiting import wait_for

#: Fourteen connections, one after another, on a busy machine.
SETTLE_LIMIT_S = 60.0


class Demo(Hub):
    """As ``Hub``. A frozen one has reached its state when ``start`` returns."""

    command = "demo"

    def __init__(
        self, data_dir: Path, *flags: str, seed: int = 7, tasks: int = 250, frozen: bool = True, web_processes: int = 1
    ) -> None:
        self._is_frozen = frozen
        self.start_limit_s += tasks / 500  # what a machine may take that has much else to do
        own = ("--seed", str(seed), "--tasks", str(tasks), *(("--frozen",) if frozen else ()))
        super().__init__(data_dir, *own, *flags, web_processes=web_processes)

    def start(self) -> Demo:
        super().start()
        if self._is_frozen:
            wait_for((self.data_dir / "demo.settled").exists, SETTLE_LIMIT_S, "the demo's settling")
        return self
