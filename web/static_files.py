"""The page and its files: read, linked and compressed once at the start, known by their content.

All files together have one version, the begin of a SHA-256 over them, and are served below it for ever:
``/static/<version>/NAME``. Modules name one another by relative paths, so a browser never mixes two versions. A file is
also there under its plain name, to be asked for again with its ETag. Nothing outside the folder can be named, because
only what was found is served.

There is no build step, so what a build would do is done here: the names of libraries in imports (``"preact"``) become the
paths of the vendored files, and the shell names every module that it will need, so that they are fetched together instead
of one behind another.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger("agentcom.web")

#: Answered for every address of a page; the router in it decides what is shown.
SHELL = "index.html"

#: What the shell starts with; its imports are preloaded.
ENTRY = "js/main.js"

#: Sent as they were published, but for the paths of what they import.
VENDORED = "vendor/"

#: Names of libraries in ``import`` statements, and where they stand below the folder.
LIBRARIES = {
    "preact": "vendor/preact/preact.mjs",
    "preact/hooks": "vendor/preact/hooks.mjs",
    "@preact/signals-core": "vendor/signals-core/signals-core.mjs",
    "@preact/signals": "vendor/signals/signals.mjs",
    "htm": "vendor/htm/htm.mjs",
    "uplot": "vendor/uplot/uPlot.esm.js",
}

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

_MODULES = (".js", ".mjs")
_COMPRESSIBLE = (*_MODULES, ".css", ".html", ".json", ".svg", ".webmanifest", ".txt")

#: A smaller file fits into one packet anyway.
_COMPRESS_FROM_BYTES = 512

HASH_CHARS = 16

#: A comment that has its lines for itself, in a module of ours: half of what a browser would load.
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)

#: ``from "x"``, ``import "x"`` and ``import("x")``; the second group is ``(`` for the last.
_IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*(\(?)\s*)(["'])([^"'\n]+)\3""")


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    content_type: str
    version: str
    """Begin of the SHA-256 of the content, in hexadecimal."""
    compressed: bytes | None
    """By gzip, when that makes it smaller."""


class StaticFiles:
    """``version``: of all files together."""

    def __init__(self, folder: Path) -> None:
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        self._shell = found.pop(SHELL, None)
        if self._shell is None:
            logger.error("there is no %s in the folder of the page", SHELL)
        linked = {name: _linked(name, content) for name, content in found.items()}
        self._files = {name: _file(content, _suffix(name)) for name, content in linked.items()}
        self.version = _version(b"\n".join(f"{name} {file.version}".encode() for name, file in self._files.items()))
        self._preloaded = _imports_of(ENTRY, linked)
        self._shells = {depth: self._shell_at(depth) for depth in (1, 2)}

    def get(self, name: str) -> StaticFile | None:
        return self._files.get(name)

    def shell(self, depth: int) -> StaticFile | None:
        """For an address of so many parts. All its links are relative, so that it also works below a proxy's path."""
        return self._shells[depth]

    def _shell_at(self, depth: int) -> StaticFile | None:
        if self._shell is None:
            return None
        root = "../" * (depth - 1) or "./"
        static = f"{root}static/{self.version}"
        preload = "\n".join(f'  <link rel="modulepreload" href="{static}/{name}">' for name in self._preloaded)
        text = self._shell.decode().replace("{{preload}}", preload.strip())
        return _file(text.replace("{{static}}", static).encode(), ".html")


def _linked(name: str, content: bytes) -> bytes:
    """A module with the paths of the libraries that it names; one of ours without its comments, its lines where they were."""
    if _suffix(name) not in _MODULES:
        return content
    text = content.decode()
    if not name.startswith(VENDORED):
        text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    return _IMPORT.sub(lambda match: _link(name, match), text).encode()


def _link(importer: str, match: re.Match[str]) -> str:
    library = LIBRARIES.get(match[4])
    if library is None:
        return match[0]
    return f"{match[1]}{match[3]}./{posixpath.relpath(library, posixpath.dirname(importer))}{match[3]}"


def _imports_of(entry: str, linked: dict[str, bytes]) -> list[str]:
    """All modules that ``entry`` cannot start without, itself left out."""
    seen: dict[str, None] = {}
    ahead = [entry]
    while ahead:
        name = ahead.pop()
        if name in seen or name not in linked:
            continue
        seen[name] = None
        imports = [match for match in _IMPORT.finditer(linked[name].decode()) if match[2] != "("]
        ahead += [posixpath.normpath(posixpath.join(posixpath.dirname(name), match[4])) for match in imports]
    return [name for name in seen if name != entry]


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:HASH_CHARS]


def _file(content: bytes, suffix: str) -> StaticFile:
    content_type = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    compressed = None
    if suffix in _COMPRESSIBLE and len(content) >= _COMPRESS_FROM_BYTES:
        compressed = gzip.compress(content, mtime=0)
    return StaticFile(content, content_type, _version(content), compressed)
