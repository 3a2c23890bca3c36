"""The folder of the sockets: wherever temporary files are, their paths fit."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest

from supervision.socket_folder import NAME_BYTES, make_socket_folder


def bind_longest_name(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / ("s" * (NAME_BYTES - 1))))


@pytest.mark.parametrize("length", [1, 60, 70, 80, 90, 100, 200])
def test_a_socket_fits_wherever_temporary_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    base = Path("/tmp") / ("t" * length)
    base.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    folder = make_socket_folder("hub-")
    try:
        bind_longest_name(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder.parent == base) == (length < 70)
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
        base.rmdir()


def test_without_any_place_it_is_said_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(OSError, match="set TMPDIR"):
        make_socket_folder("hub-")
