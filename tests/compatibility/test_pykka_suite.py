"""Pykka's own tests, from the source package of the installed version, pointed at our actor class.

They are downloaded for the test and never kept. What we do differently on purpose is ``DIFFERENT``, with the reason.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: A handler that raises SystemExit or the like ends its own actor and no other (Pykka stops every actor of the process).
DIFFERENT = (
    "tests/test_actor.py::test_all_actors_are_stopped_on_base_exception",
    "tests/test_logging.py::test_base_exception_is_logged",
)

#: Fewer than these passed: the suite was not found, or is another one.
AT_LEAST = 140

#: Pykka's answer to an exception in an asked message: only the caller hears of it.
OURS = """
from supervision.actor import Actor
from supervision.future import ActorFuture

class Ours(Actor):
    ask_errors = "reply"
"""


def pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True, timeout=240
    )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked source, with the actor class replaced and the suite's own needs beside it."""
    folder = tmp_path_factory.mktemp("pykka")
    version = importlib.metadata.version("pykka")
    try:
        pip("download", "--no-binary", "pykka", "--no-deps", "-d", str(folder), f"pykka=={version}")
        pip("install", "--no-deps", "-t", str(folder / "needs"), "pytest-mock")
    except subprocess.CalledProcessError:
        warnings.warn("PYKKA'S OWN TESTS DID NOT RUN: no source package could be had", stacklevel=1)
        pytest.skip("no source package of Pykka")
    [package] = folder.glob("*.tar.gz")
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    source = folder / f"pykka-{version}"
    (source / "tests" / "ours.py").write_text(OURS)
    conftest = source / "tests" / "conftest.py"
    text = conftest.read_text()
    for theirs, ours in (("actor_class=ThreadingActor", "actor_class=Ours"), ("=ThreadingFuture", "=ActorFuture")):
        assert theirs in text, "Pykka's suite is built differently now"
        text = text.replace(theirs, ours)
    conftest.write_text(
        text.replace("from tests.types", "from tests.ours import ActorFuture, Ours\nfrom tests.types", 1)
    )
    return source


def test_pykkas_own_tests_pass_with_our_actors(suite: Path) -> None:
    deselected = [f"--deselect={test}" for test in DIFFERENT]
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        "/dev/null",
        "--rootdir=.",
        "-p",
        "no:cacheprovider",
        *deselected,
    ]
    run = subprocess.run(
        [*argv, "tests"],
        cwd=suite,
        env={"PYTHONPATH": f"{ROOT}:{suite.parent / 'needs'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:]
    passed = int(run.stdout.rsplit(" passed", 1)[0].rsplit(None, 1)[-1])
    assert passed >= AT_LEAST, run.stdout[-500:]
