"""The page and its files: read once at the start, known by their content.

A file is served under its plain name, to be asked for again with its ETag, and under ``?v=<hash>`` for ever. The page says
``/static/NAME?v={{v}}`` and gets the hash of that file. Modules name one another plainly, so that a browser loads none of
them twice. Nothing outside the folder can be named, because only what was found is served.
"""

from __future__ import annotations

import hashlib
import logging
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger("agentcom.web")

#: Pages are served under their own routes, with the hashes of their files in them.
PAGE = "index.html"
SYSTEM_PAGE = "system.html"
TASKS_PAGE = "tasks.html"
TASK_PAGE = "task.html"
PAGES = (PAGE, SYSTEM_PAGE, TASKS_PAGE, TASK_PAGE)

#: Types that the machine's own table may not know, or know differently.
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}

HASH_CHARS = 16

_REFERENCE = re.compile(r"/static/([^\"'?#\s]+)\?v=\{\{v\}\}")


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    content_type: str
    version: str
    """Begin of the SHA-256 of the content, in hexadecimal."""


class StaticFiles:
    """``files`` by their path below the folder, with ``/``."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        self.pages = {name: self._page(name) for name in PAGES}

    def _page(self, name: str) -> StaticFile | None:
        page = self._files.pop(name, None)
        if page is None:
            logger.error("there is no %s in the folder of the pages", name)
            return None
        return _file(self._with_versions(page.content), ".html")

    def get(self, name: str) -> StaticFile | None:
        return self._files.get(name)

    def _with_versions(self, page: bytes) -> bytes:
        def versioned(match: re.Match[str]) -> str:
            file = self._files.get(match[1])
            if file is None:
                logger.error("the page names a file that is not there: %s", match[1])
                return f"/static/{match[1]}"
            return f"/static/{match[1]}?v={file.version}"

        return _REFERENCE.sub(versioned, page.decode()).encode()


def _read(path: Path) -> StaticFile:
    return _file(path.read_bytes(), path.suffix.lower())


def _file(content: bytes, suffix: str) -> StaticFile:
    content_type = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return StaticFile(content, content_type, hashlib.sha256(content).hexdigest()[:HASH_CHARS])
