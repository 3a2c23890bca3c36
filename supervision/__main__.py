"""``python -m supervision MODULE:SPEC``: supervise the processes that SPEC describes until SIGTERM or SIGINT.

SPEC is a ``ProcessTree``, or something to call that returns one. Exit status 0 after a stop, 1 after giving up, 2 for a SPEC that
cannot be used.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Callable
from dataclasses import replace

from supervision.notify import notify
from supervision.process_child import ProcessStart
from supervision.process_specs import Group, ProcessTree
from supervision.process_supervisor import ProcessSupervisor, supervise
from supervision.spec import ChildSpec, SpecError, SupervisorFlags, check_child_specs


class UnusableSpec(Exception):
    """What is wrong with SPEC, and what to type next."""


def load(where: str) -> ProcessTree:
    """The tree that ``MODULE:SPEC`` names. Raises ``UnusableSpec``; then nothing was started."""
    module_name, colon, name = where.partition(":")
    if not (module_name and colon and name):
        raise UnusableSpec(f"{where!r} is not MODULE:SPEC, for example  python -m supervision myservice:tree")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise UnusableSpec(f"cannot import {module_name!r}: {error}") from error
    try:
        found = getattr(module, name)
    except AttributeError:
        known = [name for name, value in vars(module).items() if isinstance(value, ProcessTree)]
        hint = f"; it has {', '.join(known)}" if known else ""
        raise UnusableSpec(f"{module_name} has no {name!r}{hint}") from None
    tree = found() if callable(found) and not isinstance(found, ProcessTree) else found
    if not isinstance(tree, ProcessTree):
        raise UnusableSpec(f"{where} is a {type(tree).__name__}, not a supervision.process_specs.ProcessTree")
    _check(tree.flags, tree.specs)
    return tree


def _check(flags: SupervisorFlags, specs: tuple[ChildSpec, ...]) -> None:
    try:
        flags.check()
        for spec in check_child_specs(specs, flags.auto_shutdown):
            if isinstance(spec.start, Group):
                _check(spec.start.flags, spec.start.specs)
            elif not isinstance(spec.start, ProcessStart):
                raise UnusableSpec(f"{spec.id}: start is a {type(spec.start).__name__}, not a ProcessStart or a Group")
    except SpecError as error:
        raise UnusableSpec(str(error)) from error


def drawing(specs: tuple[ChildSpec, ...], indent: str = "") -> list[str]:
    """The tree as lines of text."""
    lines = []
    for number, spec in enumerate(specs, 1):
        is_last = number == len(specs)
        start = spec.start
        what = f"({start.flags.strategy.value})" if isinstance(start, Group) else " ".join(start.argv)
        lines.append(f"{indent}{'└── ' if is_last else '├── '}{spec.id}  {what}")
        if isinstance(start, Group):
            lines += drawing(start.specs, indent + ("    " if is_last else "│   "))
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m supervision", description=__doc__.split("\n\n")[0])
    parser.add_argument("spec", metavar="MODULE:SPEC", help="a ProcessTree, or a callable that returns one")
    parser.add_argument("--check", action="store_true", help="say whether the tree can be used, draw it, start nothing")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    options = parser.parse_args(arguments)
    sys.path.insert(0, "")
    try:
        tree = load(options.spec)
    except UnusableSpec as error:
        print(f"supervision: {error}", file=sys.stderr)
        return 2
    if options.check:
        print("\n".join([f"{options.spec}  ({tree.flags.strategy.value})", *drawing(tree.specs)]))
        return 0
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return supervise(replace(tree, on_change=_announcing(tree, options.spec)))


def _announcing(tree: ProcessTree, where: str) -> Callable[[ProcessSupervisor], None]:
    """Tells systemd, once, that everything has started."""
    has_told = False

    def changed(supervisor: ProcessSupervisor) -> None:
        nonlocal has_told
        if tree.on_change is not None:
            tree.on_change(supervisor)
        if supervisor.is_ready and not has_told:
            has_told = True
            notify(f"READY=1\nSTATUS={where}: {len(supervisor.processes())} processes")

    return changed


if __name__ == "__main__":
    sys.exit(main())
