"""What a supervisor of processes is told: a whole tree, and supervisors within it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervision.spec import ChildSpec, SupervisorFlags

if TYPE_CHECKING:
    from supervision.process_supervisor import ProcessSupervisor


@dataclass(frozen=True, slots=True)
class Group:
    """A nested supervisor: ``ChildSpec(start=Group(flags, specs), type=SUPERVISOR)``.

    ``on_demand``: children that are started when any process of the tree says ``START=<id>``, and kept running from then on.
    """

    flags: SupervisorFlags
    specs: tuple[ChildSpec, ...]
    on_demand: tuple[ChildSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """What a root process supervises. ``stop_limit_s``: after that a stop is no longer orderly.

    ``on_change(supervisor)`` after every start and end, inside the loop: it must be short.
    """

    flags: SupervisorFlags
    specs: tuple[ChildSpec, ...]
    stop_limit_s: float = 10.0
    on_change: Callable[[ProcessSupervisor], None] | None = None


def on_demand_of(specs: Iterable[ChildSpec]) -> Iterator[ChildSpec]:
    """Of every group, however deep."""
    for spec in specs:
        if isinstance(spec.start, Group):
            yield from spec.start.on_demand
            yield from on_demand_of(spec.start.specs)
