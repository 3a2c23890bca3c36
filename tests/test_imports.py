"""Who may import whom: the arrows between the packages, and the one door for each dependency."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = frozenset({"actors", "web", "supervision", "wire", "link", "sidecar", "notifier", "agentcom", "tests", "bench"})

ARROWS = {
    "wire": frozenset[str](),
    "link": frozenset[str](),
    "supervision": frozenset[str](),
    "actors": frozenset({"supervision", "link", "wire"}),
    "web": frozenset({"link", "wire"}),
    "sidecar": frozenset({"wire"}),
    "notifier": frozenset({"link", "wire"}),
}

#: Only these may know time, chance, ids and threads on the hub's side; everybody else gets them from the runtime.
CLOCKWORK = frozenset({"threading", "random", "uuid", "time"})
CLOCKWORK_DOORS = frozenset(
    f"supervision/{name}.py"
    for name in ("runtime", "clock", "threads", "simulation", "process_supervisor", "process_child")
)
#: A type annotation needs the name ``random.Random``.
ANNOTATES_RANDOM = frozenset({"actors/task_rules.py"})


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, in functions and under ``TYPE_CHECKING`` too; relative imports made absolute."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join((*base, *([node.module] if node.module else [])))


def top(module: str) -> str:
    return module.partition(".")[0]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def importers(module: str, *packages: str) -> set[str]:
    return {name_of(path) for path in modules(*packages) if module in map(top, imported(path))}


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_only_what_its_arrows_allow(package: str) -> None:
    allowed = ARROWS[package] | {package}
    found = {
        f"{name_of(path)} imports {module}"
        for path in modules(package)
        for module in imported(path)
        if top(module) in OURS - allowed
    }
    assert not found


def test_ujson_has_one_door() -> None:
    assert importers("ujson", *(OURS - {"tests", "bench"})) <= {"wire/codec.py"}


def test_sqlite_has_one_door() -> None:
    found = {path for path in importers("sqlite3", *(OURS - {"tests"})) if not path.startswith("actors/sqlite_")}
    assert found <= {"actors/migrations/__init__.py", "agentcom/cli/doctor.py"}  # doctor reads its version only


def test_time_chance_and_threads_come_from_the_runtime() -> None:
    found = set()
    for path in modules("actors", "supervision"):
        forbidden = CLOCKWORK - ({"random"} if name_of(path) in ANNOTATES_RANDOM else set())
        if name_of(path) not in CLOCKWORK_DOORS:
            found |= {f"{name_of(path)} imports {module}" for module in imported(path) if top(module) in forbidden}
    assert not found


#: The supervisor as a state machine, and all that it is made of: values in, values out.
PURE = frozenset(
    f"supervision.{name}"
    for name in ("core", "core_messages", "children", "spec", "backoff", "intensity", "exits", "events")
)


def test_the_core_knows_no_thread_no_clock_and_no_actor() -> None:
    """Nor does anything that it imports: only the standard library's tools for plain values."""
    allowed = PURE | {
        "__future__",
        "collections",
        "collections.abc",
        "dataclasses",
        "enum",
        "math",
        "traceback",
        "typing",
    }
    found = {
        f"{name} imports {module}"
        for name in PURE
        for module in imported(ROOT / f"{name.replace('.', '/')}.py")
        if module not in allowed
    }
    assert not found


def test_pykka_stays_behind_the_engine() -> None:
    found = importers("pykka", "wire", "link", "web", "sidecar")
    assert not found
