"""Tasks: submit, read, cancel, retry, push."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from link.client import HubRefused
from web import task_search
from web.attempts import attempts_of
from web.errors import ApiError, task_not_found
from web.handlers.base import ApiHandler
from web.task_view import found_object, page_object, row_object, stats_object, task_object
from wire import limits
from wire.bodies import MuteBody
from wire.bulk import LaneBody, ReassignBody
from wire.errors import FieldError, Invalid
from wire.fields import IdempotencyKey
from wire.parsing import Body, parse
from wire.queries import SORTS, CountQuery, DeadGroupQuery, FindQuery, PageQuery, SuggestQuery, TaskQuery
from wire.tasks import NewTaskBody, PushTaskBody, submission


class _KeyHeader(Body):
    idempotency_key: IdempotencyKey | None = None


#: Parameters of the list by a filter; without any of them the list is what it always was.
_OF_FILTER = frozenset({"q", "sort", "page", "seek", "at", "total"})


class _TaskList(ApiHandler):
    """``row``: how a task of a found page is shown. ``page_rows``: at most so many of them."""

    row = staticmethod(task_object)
    page_rows = limits.PAGE_LIMIT

    async def ask(self, op: str, **args: Any) -> Any:
        return await self.call(op, **args)

    async def on_get(self) -> None:
        if _OF_FILTER.isdisjoint(self.request.query_arguments):
            await self._list()
        else:
            await self._find()

    async def _find(self) -> None:
        query = self.query_as(FindQuery)
        order, descending = SORTS[query.sort]
        filter_ = msgspec.to_builtins(query.everything)
        arguments = {
            "filter": filter_,
            "order": order,
            "descending": descending,
            "cursor": query.cursor,
            "backwards": query.page == "before",
            "seek": query.part,
            "at": query.at_ms,
            "limit": query.page_size(self.page_rows),
        }
        with refusals_about("sort"):
            found = await task_search.find(self.ask, arguments)
        answer = found_object(found, [self.row(task) for task in found["tasks"]])
        if query.total is not None:
            answer["total"] = await task_search.count(self.ask, filter_, exact=False)
        self.answer(answer)

    async def _list(self) -> None:
        query = self.query_as(TaskQuery)
        filters = {
            "status": query.status,
            "priority": query.lane,
            "assigned_to": query.assigned_to,
            "capability": query.capability,
        }
        self.answer(page_object(await _read_page(self, "tasks.list", query, **filters)))


class Tasks(_TaskList):
    route = "/api/tasks"

    async def on_post(self) -> None:
        """201; 200 with ``duplicate`` when the idempotency key is known."""
        body = self.body_as(NewTaskBody)
        fields = submission(body)
        if body.duplicate_of is not None:
            await self._check_original(body.duplicate_of)
        key = self._key(body)
        if key is not None:
            fields["idempotency_key"] = key
        [result] = await self.call("tasks.submit", tasks=[fields], submitted_by=self.caller_name)
        if "reason" in result:
            raise HubRefused(result["reason"], result["detail"])
        answer = {"status": "queued"} | {name: result[name] for name in ("task_id", "priority", "created_at")}
        if result["duplicate"]:
            self.answer(answer | {"duplicate": True})
        else:
            self.answer(answer, 201)

    async def _check_original(self, task_id: str) -> None:
        try:
            await self.call("tasks.get", task_id=task_id)
        except HubRefused as refused:
            if refused.code != "not_found":
                raise
            raise Invalid([FieldError("duplicate_of", "not_found", "must be the id of a task")]) from None

    def _key(self, body: NewTaskBody) -> str | None:
        header = parse(_KeyHeader, {"idempotency_key": self.request.headers.get("Idempotency-Key")}).idempotency_key
        if header is not None and body.idempotency_key not in (None, header):
            raise Invalid([FieldError("idempotency_key", "contradiction", "must equal the header Idempotency-Key")])
        return header if header is not None else body.idempotency_key


class DeadLetters(ApiHandler):
    route = "/api/tasks/dead-letter"

    async def on_get(self) -> None:
        self.answer(page_object(await _read_page(self, "tasks.dead_letter", self.query_as(PageQuery))))


class TaskStats(ApiHandler):
    route = "/api/tasks/stats"

    async def on_get(self) -> None:
        self.answer(stats_object(await self.call("tasks.stats")))


class OneTask(ApiHandler):
    route = "/api/tasks/:id"

    async def on_get(self, task_id: str) -> None:
        self.answer(task_object(await about_task(self, "tasks.get", task_id)))


class TaskExplanation(ApiHandler):
    """Why it waits, and what to do about it."""

    route = "/api/tasks/:id/explain"

    async def on_get(self, task_id: str) -> None:
        self.answer(await about_task(self, "tasks.explain", task_id))


class DashboardTasks(_TaskList):
    """The same list for the page, which has no token."""

    route = "/api/dashboard/tasks"
    row = staticmethod(row_object)
    page_rows = limits.PAGE_ROWS

    async def ask(self, op: str, **args: Any) -> Any:
        """Pages that show the same list ask for it together."""
        return await self.services.reads.read(op, **args)


class TaskCount(ApiHandler):
    route = "/api/tasks/count"

    async def on_get(self) -> None:
        query = self.query_as(CountQuery)
        filter_ = msgspec.to_builtins(query.filter)
        self.answer(await task_search.count(self.call, filter_, exact=query.exact is not None))


class DashboardTaskCount(TaskCount):
    route = "/api/dashboard/tasks/count"


class DashboardTaskSuggestions(ApiHandler):
    """What may stand next in a filter."""

    route = "/api/dashboard/tasks/suggest"

    async def on_get(self) -> None:
        query = self.query_as(SuggestQuery)
        self.answer({"suggestions": await task_search.suggest(self.call, query.key, query.prefix)})


class DashboardDeadGroups(ApiHandler):
    """Dead letters by cause."""

    route = "/api/dashboard/dead-letter/groups"

    async def on_get(self) -> None:
        query = self.query_as(DeadGroupQuery)
        with refusals_about("cursor"):
            asked = {"order": query.sort, "cursor": query.cursor, "limit": int(query.limit)}
            self.answer(await self.services.reads.read("tasks.dead_groups", **asked))


class DashboardTask(ApiHandler):
    """One task and why it waits, in one answer for the page."""

    route = "/api/dashboard/tasks/:id"

    async def on_get(self, task_id: str) -> None:
        task = await about_task(self, "tasks.get", task_id)
        explanation = await about_task(self, "tasks.explain", task_id)
        duplicates = await self.call("tasks.duplicates", task_id=task_id)
        about = {"attempts": attempts_of(task), "duplicates": duplicates}
        self.answer({"task": task_object(task), "explanation": explanation, **about})


class TaskRetry(ApiHandler):
    route = "/api/tasks/:id/retry"

    async def on_post(self, task_id: str) -> None:
        await _check_owner(self, task_id)
        requeued = await about_task(self, "tasks.retry", task_id, requested_by=self.caller_name)
        self.answer({"status": "requeued", "task_id": task_id, "priority": requeued["priority"]})


class TaskCancel(ApiHandler):
    route = "/api/tasks/:id/cancel"

    async def on_post(self, task_id: str) -> None:
        await _check_owner(self, task_id)
        cancelled = await about_task(self, "tasks.cancel", task_id, cancelled_by=self.caller_name)
        previous = cancelled["previous_status"]
        self.answer({"status": "cancelled", "task_id": task_id, "previous_status": previous})


class TaskDiscard(ApiHandler):
    """Out of the dead letters; recoverable for 24 hours."""

    route = "/api/tasks/:id/discard"

    async def on_post(self, task_id: str) -> None:
        await _check_owner(self, task_id)
        await about_task(self, "tasks.discard", task_id, discarded_by=self.caller_name)
        self.answer({"status": "discarded", "task_id": task_id})


class TaskRecover(ApiHandler):
    """What was discarded is a dead letter again."""

    route = "/api/tasks/:id/recover"

    async def on_post(self, task_id: str) -> None:
        await _check_owner(self, task_id)
        await about_task(self, "tasks.recover", task_id, recovered_by=self.caller_name)
        self.answer({"status": "dead_letter", "task_id": task_id})


class TaskLane(ApiHandler):
    """A queued task to the end of another lane."""

    route = "/api/tasks/:id/lane"

    async def on_post(self, task_id: str) -> None:
        lane = self.body_as(LaneBody).lane_number
        await _check_owner(self, task_id)
        moved = await about_task(self, "tasks.lane", task_id, lane=lane, changed_by=self.caller_name)
        self.answer({"status": moved["status"], "task_id": task_id, "priority": moved["priority"]})


class DeadGroupMute(ApiHandler):
    """Somebody looks after a group of dead letters for a while; until then it asks nobody else for attention."""

    route = "/api/dead-letter/groups/:id/mute"

    async def on_post(self, group: str) -> None:
        body = self.body_as(MuteBody)
        by = self.caller_name or "unknown"
        try:
            muted = await self.call("dead.mute", group=group, for_ms=body.for_s * 1000, by=by, note=body.note)
        except HubRefused as refused:
            if refused.code == "not_found":
                fields = {"group": group}
                raise ApiError(
                    404, "group_not_found", "there are no dead letters of this group", fields=fields
                ) from None
            raise
        self.answer({"group": group, "muted": muted})


class DeadGroupUnmute(ApiHandler):
    route = "/api/dead-letter/groups/:id/unmute"

    async def on_post(self, group: str) -> None:
        self.answer({"group": group, "was_muted": await self.call("dead.unmute", group=group)})


class TaskReassign(ApiHandler):
    """A queued task for one agent, or for anybody again."""

    route = "/api/tasks/:id/reassign"

    async def on_post(self, task_id: str) -> None:
        agent = self.body_as(ReassignBody).agent
        await _check_owner(self, task_id)
        changed = await about_task(self, "tasks.reassign", task_id, agent=agent, changed_by=self.caller_name)
        self.answer({"status": changed["status"], "task_id": task_id, "assign_to": agent})


class PushTask(ApiHandler):
    """A task for one agent that is connected now, before all others."""

    route = "/api/admin/push-task"

    async def on_post(self) -> None:
        body = self.body_as(PushTaskBody)
        fields = {"agent_id": body.agent_id, "description": body.description, "metadata": body.metadata}
        try:
            pushed = await self.call("agents.push", **fields, submitted_by=self.caller_name)
        except HubRefused as refused:
            if refused.code != "not_found":
                raise
            detail = "this agent is not connected"
            raise ApiError(404, "agent_not_connected", detail, fields={"agent_id": body.agent_id}) from None
        self.answer({"status": "pushed", "task_id": pushed["task_id"], "agent_id": body.agent_id})


# --- shared by the routes above ----------------------------------------------------------------------------------------


@contextmanager
def refusals_about(field: str) -> Iterator[None]:
    """What the hub finds wrong with a question is wrong with a parameter of ours."""
    try:
        yield
    except HubRefused as refused:
        if refused.code != "invalid_state":
            raise
        name = "cursor" if "cursor" in refused.detail else field
        raise Invalid([FieldError(name, "does_not_fit", refused.detail)]) from None


async def _read_page(handler: ApiHandler, op: str, query: PageQuery, **filters: object) -> dict[str, Any]:
    given = {name: value for name, value in filters.items() if value is not None}
    try:
        page: dict[str, Any] = await handler.call(op, cursor=query.cursor, limit=query.page_size, **given)
    except HubRefused as refused:
        if refused.code == "invalid_state":  # the hub does not know this cursor
            raise Invalid(
                [FieldError("cursor", "bad_format", "must be the next_cursor of an earlier answer")]
            ) from None
        raise
    return page


async def about_task(handler: ApiHandler, op: str, task_id: str, **args: object) -> dict[str, Any]:
    """Raises a 404 that names the task when there is none."""
    try:
        value: dict[str, Any] = await handler.call(op, task_id=task_id, **args)
    except HubRefused as refused:
        if refused.code == "not_found":
            raise task_not_found(task_id) from None
        raise
    return value


async def _check_owner(handler: ApiHandler, task_id: str) -> None:
    """To a submitter a task of somebody else does not exist."""
    if handler.only_own:
        task = await about_task(handler, "tasks.get", task_id)
        if task["submitted_by"] != handler.caller_name:
            raise task_not_found(task_id)
