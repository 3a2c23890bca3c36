"""An agent command that does what the task's ``run`` says. Standard library only.

A sidecar starts it once for each task, with the task as one JSON object on stdin. ``metadata.run`` is an argument
list, or a string for ``bash -c``; ``metadata.cwd`` is where it runs. The last line of stdout is the result.

Whoever can submit tasks to an agent with this command can run programs as its user: that is what it is for. Use it on
a hub whose submitters you trust that far, as in a job file that you wrote yourself, and write a narrower command for
every other hub.
"""

# ruff: noqa: T201 - a program talks through stdout and stderr

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

OUTPUT_CHARS = 4_000
"""The end of the output is what the hub keeps."""


def main() -> int:
    try:
        task = json.load(sys.stdin)
        command = arguments(task["metadata"]["run"])
        where = task["metadata"].get("cwd") or os.environ.get("AGENTCOM_WORK_DIR") or "."
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"the task has no usable metadata.run: {error!r}", file=sys.stderr)
        return 2
    return run(command, str(where))


def arguments(value: Any) -> list[str]:
    """The program and its arguments. Raises ``ValueError`` for what is neither a text nor a list of texts."""
    if isinstance(value, str) and value.strip():
        return ["bash", "-c", value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    raise ValueError("run must be a text or a list of texts")


def run(command: list[str], where: str) -> int:
    """Run it, tell the result. Returns the exit status for the sidecar, which reports a failure for anything but 0."""
    print("progress: 5", flush=True)
    environment = {**os.environ, "AGENTCOM_WORK_DIR": where}
    try:
        done = subprocess.run(command, cwd=where, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return 127
    print("progress: 95", flush=True)
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        # A program that fails often says why on stdout: tests, for example.
        sys.stderr.write((output[-OUTPUT_CHARS:] + done.stderr.decode("utf-8", "replace"))[-OUTPUT_CHARS:])
        return done.returncode if done.returncode > 0 else 128 - done.returncode
    print(json.dumps({"exit": 0, "output": output[-OUTPUT_CHARS:]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
