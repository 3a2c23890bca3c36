"""The page and its files. Every address of a page is answered with the same shell."""

from __future__ import annotations

from typing import cast

from web import errors
from web.handlers.base import ApiHandler
from web.static_files import StaticFile, StaticFiles

REVALIDATE = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"


class _FileHandler(ApiHandler):
    @property
    def files(self) -> StaticFiles:
        return cast(StaticFiles, self.settings["static_files"])

    def answer_file(self, file: StaticFile | None, cache_control: str) -> None:
        if file is None:
            raise errors.not_found()
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", cache_control)
        self.set_header("Vary", "Accept-Encoding")
        content, etag = file.content, f'"{file.version}"'
        if file.compressed is not None and _takes_gzip(self.request.headers.get("Accept-Encoding", "")):
            content, etag = file.compressed, f'"{file.version}-gzip"'
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Etag", etag)
        if etag in self.request.headers.get("If-None-Match", ""):
            self.clear_header("Content-Encoding")
            self.set_status(304)
            self.finish()
        else:
            self.finish(content)


def _takes_gzip(accept_encoding: str) -> bool:
    for one in accept_encoding.lower().split(","):
        name, _, quality = one.replace(" ", "").partition(";q=")
        if name == "gzip":
            return quality.rstrip("0.") != "" or quality == ""
    return False


class Start(ApiHandler):
    route = "/"

    async def on_get(self) -> None:
        """Relative, because a proxy may serve us below a path that only the browser knows."""
        self.set_status(302)
        self.set_header("Cache-Control", REVALIDATE)
        self.set_header("Location", "dashboard")
        self.finish()


class _Shell(_FileHandler):
    async def on_get(self, *parts: str) -> None:
        self.answer_file(self.files.shell(depth=1 + len(parts)), REVALIDATE)


class Dashboard(_Shell):
    route = "/dashboard"


class Tasks(_Shell):
    route = "/tasks"


class Task(_Shell):
    route = "/tasks/:id"


class DeadLetters(_Shell):
    route = "/dead"


class Agents(_Shell):
    route = "/agents"


class Agent(_Shell):
    route = "/agents/:id"


class Activity(_Shell):
    route = "/activity"


class Trends(_Shell):
    route = "/trends"


class System(_Shell):
    route = "/system"


class Settings(_Shell):
    route = "/settings"


#: Every address of a page.
SHELLS = (Dashboard, Tasks, Task, DeadLetters, Agents, Agent, Activity, Trends, System, Settings)


class ServiceWorker(_FileHandler):
    """At the root, because a service worker is in charge of what lies below its own address."""

    route = "/sw.js"

    async def on_get(self) -> None:
        self.answer_file(self.files.get("sw.js"), REVALIDATE)


class Static(_FileHandler):
    route = "/static/:path*"

    async def on_get(self, path: str) -> None:
        version, _, name = path.partition("/")
        if version == self.files.version:
            self.answer_file(self.files.get(name), FOR_EVER)
        else:
            self.answer_file(self.files.get(path), REVALIDATE)
