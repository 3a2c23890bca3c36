"""The page and its files."""

from __future__ import annotations

from typing import cast

from web import errors
from web.handlers.base import ApiHandler
from web.static_files import PAGE, SYSTEM_PAGE, TASK_PAGE, TASKS_PAGE, StaticFile, StaticFiles

REVALIDATE = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"


class _FileHandler(ApiHandler):
    @property
    def files(self) -> StaticFiles:
        return cast(StaticFiles, self.settings["static_files"])

    def answer_file(self, file: StaticFile | None, cache_control: str) -> None:
        if file is None:
            raise errors.not_found()
        etag = f'"{file.version}"'
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", cache_control)
        self.set_header("Etag", etag)
        if etag in self.request.headers.get("If-None-Match", ""):
            self.set_status(304)
            self.finish()
        else:
            self.finish(file.content)


class Start(ApiHandler):
    route = "/"

    async def on_get(self) -> None:
        self.set_header("Cache-Control", REVALIDATE)
        self.redirect("/dashboard")


class Dashboard(_FileHandler):
    route = "/dashboard"

    async def on_get(self) -> None:
        self.answer_file(self.files.pages[PAGE], REVALIDATE)


class System(_FileHandler):
    """The supervision tree."""

    route = "/system"

    async def on_get(self) -> None:
        self.answer_file(self.files.pages[SYSTEM_PAGE], REVALIDATE)


class Tasks(_FileHandler):
    """Every task, filtered."""

    route = "/tasks"

    async def on_get(self) -> None:
        self.answer_file(self.files.pages[TASKS_PAGE], REVALIDATE)


class Task(_FileHandler):
    """One task; the page reads its id from the address."""

    route = "/tasks/:id"

    async def on_get(self, _task_id: str) -> None:
        self.answer_file(self.files.pages[TASK_PAGE], REVALIDATE)


class Static(_FileHandler):
    route = "/static/:path*"

    async def on_get(self, path: str) -> None:
        file = self.files.get(path)
        is_current = file is not None and self.get_query_argument("v", "") == file.version
        self.answer_file(file, FOR_EVER if is_current else REVALIDATE)
