"""The journal survives, is private, and has one owner."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sidecar.journal import Attempt, Journal, NameInUse
from sidecar.outcome import Outcome

RUNNING = Attempt("task-1", 2, {"task_id": "task-1", "description": "text"})
FINISHED = RUNNING.ended(Outcome(result={"a": [1, "ü"]}, tokens_used=5))


@pytest.mark.parametrize("attempt", [RUNNING, FINISHED, RUNNING.ended(Outcome.failure("exit status 1")), None])
def test_what_was_written_is_read_by_the_next_sidecar(tmp_path: Path, attempt: Attempt | None) -> None:
    journal = Journal(tmp_path, "a")
    journal.write(RUNNING)
    journal.write(attempt)
    journal.close()
    assert Journal(tmp_path, "a").read() == attempt


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state", "a")
    journal.write(RUNNING)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_two_sidecars_of_one_name_refuse(tmp_path: Path) -> None:
    first = Journal(tmp_path, "a")
    with pytest.raises(NameInUse):
        Journal(tmp_path, "a")
    Journal(tmp_path, "b").close()
    first.close()
    Journal(tmp_path, "a").close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"task_id": 1}', b"\xff\xfe", b'{"status":"finished"}'])
def test_a_damaged_journal_is_told_and_not_believed(tmp_path: Path, content: bytes) -> None:
    journal = Journal(tmp_path, "a")
    journal.path.write_bytes(content)
    with pytest.raises(ValueError):
        journal.read()


def test_a_half_written_file_does_not_replace_the_whole_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "a")
    journal.write(RUNNING)
    journal.path.with_name("a.json.new").write_bytes(b'{"task_id"')
    assert journal.read() == RUNNING


def test_task_files_of_a_killed_sidecar_are_removed(tmp_path: Path) -> None:
    left_over, other = tmp_path / "a~x.task", tmp_path / "ab~x.task"
    left_over.touch()
    other.touch()
    Journal(tmp_path, "a").close()
    assert not left_over.exists() and other.exists()
