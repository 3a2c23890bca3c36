"""A job file: agents, tasks and how each task is expected to end. Written by people, so every mistake is answered in their words.

    title = "First job"
    setup = ["python3", "prepare.py"]        # run once in the work folder, optional

    [agents.shell-1]
    capabilities = ["shell"]
    command = ["python3", "run-command.py"]  # started once for each task

    [[tasks]]
    title = "Count the lines"
    run = ["wc", "-l", "README.md"]          # or one text, if the agents' command uses a shell
    lane = "high"                            # urgent, high, normal (default) or low
    needs = ["shell"]
    max_retries = 3
    expect = "completed"                     # or "dead_letter"

Names of files that stand in the job file's folder are made absolute, since commands run in the work folder.
"""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from agentcom.failures import ExitStatus, Failure

LANES = ("urgent", "high", "normal", "low")
ENDINGS = ("completed", "dead_letter")

#: As many as the hub takes in one request.
MAX_TASKS = 1000
MAX_AGENTS = 64

Table: TypeAlias = Mapping[str, object]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PYTHONS = frozenset({"python", "python3"})


class JobError(Failure):
    """The job file cannot be used."""

    def __init__(self, message: str, hint: str = "See examples/first-job.toml.") -> None:
        super().__init__(message, hint, ExitStatus.USAGE, "invalid_job")


@dataclass(frozen=True, slots=True)
class JobAgent:
    name: str
    capabilities: tuple[str, ...]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobTask:
    title: str
    run: str | tuple[str, ...]
    """A line for a shell, or a list of arguments, as the agents' command understands it."""
    lane: str = "normal"
    needs: tuple[str, ...] = ()
    max_retries: int = 3
    expect: str = "completed"

    def body(self, work_dir: str) -> dict[str, object]:
        """What is submitted to the hub."""
        return {
            "description": self.title,
            "metadata": {
                "run": self.run if isinstance(self.run, str) else list(self.run),
                "cwd": work_dir,
                "title": self.title,
            },
            "priority": self.lane,
            "needed_capabilities": list(self.needs),
            "max_retries": self.max_retries,
        }


@dataclass(frozen=True, slots=True)
class Job:
    path: Path
    title: str
    setup: tuple[str, ...]
    agents: tuple[JobAgent, ...]
    tasks: tuple[JobTask, ...]


def read_job(path: Path) -> Job:
    """Read and check a job file. Raises ``JobError`` that names the place."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JobError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"cannot read {path} ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise JobError(f"{path} is not TOML: {error}", "Mend the line that it names.") from error
    return parse_job(table, path)


def parse_job(table: Table, path: Path) -> Job:
    _only(table, {"title", "setup", "agents", "tasks"}, "the job")
    folder = path.parent.absolute()
    agents = tuple(_agent(name, each, folder) for name, each in _table(table.get("agents", {}), "agents").items())
    if not 1 <= len(agents) <= MAX_AGENTS:
        raise JobError(f"{path} has {len(agents)} agents", f"Write 1 to {MAX_AGENTS} sections [agents.NAME].")
    tasks = table.get("tasks", [])
    if not isinstance(tasks, list) or not 1 <= len(tasks) <= MAX_TASKS:
        raise JobError(f"{path} has no [[tasks]], or too many", f"Write 1 to {MAX_TASKS} of them.")
    parsed = tuple(_task(each, f"task {number}") for number, each in enumerate(tasks, 1))
    for task in parsed:
        if not any(set(task.needs) <= set(agent.capabilities) for agent in agents):
            raise JobError(f"no agent can do {task.title!r}: it needs {', '.join(task.needs)}", "Add the capability.")
    title = _text(table.get("title", path.stem), "title")
    return Job(path, title, _argv(table.get("setup", []), "setup", folder), agents, parsed)


def _agent(name: str, value: object, folder: Path) -> JobAgent:
    where = f"agents.{name}"
    if not _NAME.fullmatch(name):
        raise JobError(f"{name!r} cannot be an agent's name", "Letters, digits, dot, dash and underscore, at most 64.")
    table = _table(value, where)
    _only(table, {"capabilities", "command"}, where)
    command = _argv(table.get("command", []), f"{where}.command", folder)
    if not command:
        raise JobError(f"{where} has no command", 'Write what it runs:  command = ["python3", "agent.py"]')
    return JobAgent(name, _texts(table.get("capabilities", []), f"{where}.capabilities"), command)


def _task(value: object, where: str) -> JobTask:
    table = _table(value, where)
    _only(table, {"title", "run", "lane", "needs", "max_retries", "expect"}, where)
    retries = table.get("max_retries", 3)
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= 100:
        raise JobError(f"{where}: max_retries is a whole number from 0 to 100")
    return JobTask(
        title=_text(table.get("title"), f"{where}: title"),
        run=_run(table.get("run"), f"{where}: run"),
        lane=_choice(table.get("lane", "normal"), LANES, f"{where}: lane"),
        needs=_texts(table.get("needs", []), f"{where}: needs"),
        max_retries=retries,
        expect=_choice(table.get("expect", "completed"), ENDINGS, f"{where}: expect"),
    )


def _run(value: object, where: str) -> str | tuple[str, ...]:
    if isinstance(value, list) and value:
        return _texts(value, where)
    return _text(value, where)


def _argv(value: object, where: str, folder: Path) -> tuple[str, ...]:
    """A command line: our own interpreter for ``python``, and absolute names for files beside the job file."""
    parts = _texts(value, where)
    resolved = [str(folder / part) if (folder / part).is_file() else part for part in parts]
    if resolved and resolved[0] in _PYTHONS:
        resolved[0] = sys.executable
    return tuple(resolved)


def _table(value: object, where: str) -> Table:
    if not isinstance(value, dict):
        raise JobError(f"{where} is not a table")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise JobError(f"{where} is missing or not a text")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
        raise JobError(f"{where} is not a list of texts")
    return tuple(value)


def _choice(value: object, choices: Collection[str], where: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise JobError(f"{where} cannot be {value!r}", f"Write one of {', '.join(choices)}.")
    return value


def _only(table: Table, known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."
            raise JobError(f"{where} has no {key!r}", hint)
