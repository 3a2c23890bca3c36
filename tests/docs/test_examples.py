"""The Python in the documents runs as it stands, from top to bottom of each page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentcom.cli.tree import lines, with_processes
from tests.harness.hub import REPOSITORY, Hub

PAGES = ["supervision.md"]

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    blocks = _BLOCK.findall((REPOSITORY / "docs" / page).read_text())
    assert blocks
    script = tmp_path / "examples.py"
    script.write_text("\n".join(blocks))
    run = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_tree_in_the_readme_is_the_one_that_is_printed(tmp_path: Path) -> None:
    """What ``agentcom tree`` prints, without what changes from second to second."""
    with Hub(tmp_path / "data", web_processes=2) as hub:
        found = hub.get("/api/system/tree", token=None).json
        printed = [_to_the_name(line) for line in lines(with_processes(found))]
    readme = (REPOSITORY / "README.md").read_text()
    start = readme.index("    root ")
    drawn = [_to_the_name(line[4:]) for line in readme[start:].split("\n\n")[0].splitlines()]
    assert drawn == printed


def _to_the_name(line: str) -> str:
    """The branches and the name, without the facts behind it."""
    found = re.match(r"[│├└─ ]*\S+", line)
    assert found is not None, line
    return found[0]
