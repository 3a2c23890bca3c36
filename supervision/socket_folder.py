"""A folder for Unix sockets: private, and near enough to the root that their paths fit into an address."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

#: Bytes of a socket's path: ``sun_path`` of unix(7) with its closing zero has 108 on Linux and 104 on other systems.
PATH_BYTES = 103

#: Of the name of a socket in the folder, with the slash before it.
NAME_BYTES = 16


def make_socket_folder(prefix: str) -> Path:
    """Readable by its owner only; whoever asked removes it. In ``TMPDIR``, or nearer to the root when that is too deep.

    Raises ``OSError`` when there is no place for it.
    """
    for base in dict.fromkeys((tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", "/tmp"), "/tmp")):  # noqa: S108
        # What mkdtemp adds to the prefix has eight characters.
        if len(os.fsencode(os.path.join(base, prefix))) + 8 + NAME_BYTES <= PATH_BYTES:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    raise OSError(errno.ENAMETOOLONG, "no folder for sockets: set TMPDIR to one that exists and has a short path")
