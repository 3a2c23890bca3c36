"""The data directory: who owns it, who may read it, and that only one hub uses it."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

LOCK_FILE = "hub.lock"
DATABASE_FILE = "hub.db"
ADMIN_TOKEN_FILE = "admin.token"
HUB_FILE = "hub.json"


class DataDirError(Exception):
    """The directory cannot be used. ``hint`` says what to do, ``is_conflict`` that another hub has it."""

    def __init__(self, message: str, hint: str, *, is_conflict: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.is_conflict = is_conflict


def prepare(path: Path) -> Path:
    """Create it (0700) if it is missing, and check that it is ours. Raises ``DataDirError``."""
    if path.is_symlink():
        raise DataDirError(f"the data directory {path} is a symbolic link", "Name the real directory with --data-dir.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = path.stat()
    except OSError as error:
        raise DataDirError(f"cannot use {path}: {error.strerror}", "Name another one with --data-dir.") from error
    if info.st_uid != os.getuid():
        raise DataDirError(f"the data directory {path} belongs to another user", "Name your own with --data-dir.")
    if stat.S_IMODE(info.st_mode) & 0o077:
        path.chmod(0o700)
    return path


def lock(path: Path) -> int:
    """Take the lock for as long as the returned descriptor (or an inherited copy) is open. Raises ``DataDirError``.

    The kernel releases it when the last process that holds it is gone, also after SIGKILL.
    """
    descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip()
        os.close(descriptor)
        message = f"the data directory {path} is in use by another agentcom hub" + (f" ({holder})" if holder else "")
        hint = "Use it:          agentcom status\nStart a second:  agentcom serve --port 4001 --data-dir ./other"
        raise DataDirError(message, hint, is_conflict=True) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()}\n".encode(), 0)
    return descriptor


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 so that readers see the old or the new content, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)


def read_private(path: Path) -> bytes | None:
    """The content, or None when there is no such file. Raises ``DataDirError`` when others could read it."""
    try:
        info = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_IMODE(info.st_mode) & 0o077:
        raise DataDirError(f"{path} can be read by others", f"Close it:  chmod 600 {path}")
    return path.read_bytes()
