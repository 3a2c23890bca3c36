"""What the audit log says of each request: before and after, or what else belongs to it. No entry holds a secret.

Plain submits and the frames of agents are not in it: who did what to a task stands in the history of that task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.queue_options import TaskQueueOptions
from actors.storage import AuditStorage, DirectoryStorage
from actors.vocabulary import bulk, fleet, search
from actors.vocabulary import tasks as v
from actors.vocabulary.audit import Audited, AuditEntry, AuditPage, ReadAudit, RecordAudit
from actors.vocabulary.tasks import Refusal, Refused

OK = "ok"

Details = dict[str, Any]


class AuditLog:
    """Runs inside the queue's transaction."""

    def __init__(self, storage: AuditStorage, directory: DirectoryStorage) -> None:
        self._storage = storage
        self._directory = directory

    def before(self, request: object) -> object:
        """What has to be read before ``request`` changes it."""
        return self._directory.setting(request.key) if isinstance(request, v.WriteSetting) else None

    def add(self, message: Audited, before: object, answer: object, now: int) -> None:
        outcome = answer.reason.value if isinstance(answer, Refused) else OK
        details = {} if isinstance(answer, Refused) else details_of(message.request, before, answer)
        self.record(RecordAudit(message.by, message.action, message.target, outcome, details), now)

    def record(self, message: RecordAudit, now: int) -> None:
        by = message.by
        what = (message.action, message.target, message.outcome, message.details)
        self._storage.add(AuditEntry(0, now, by.name, by.role, by.way, *what))

    def page(self, query: ReadAudit) -> AuditPage | Refused:
        try:
            return self._storage.page(query)
        except ValueError:
            return Refused(Refusal.INVALID_STATE, "the cursor is not one of ours")

    def prune(self, now: int, options: TaskQueueOptions) -> None:
        before = now - int(options.audit_days * 86_400_000)
        self._storage.prune(before, options.audit_entries, options.prune_slice)


def details_of(request: object, before: object, answer: object) -> Details:
    """Of a request that was done; empty where action and target say everything."""
    describe = _DETAILS.get(type(request))
    return describe(request, before, answer) if describe is not None else {}


def _changed(before: object, after: object, **more: object) -> Details:
    return {"before": before, "after": after, **more}


def _submitted(request: v.SubmitTasks, _: object, answer: object) -> Details:
    ids = [one.task_id for one in answer if isinstance(one, v.Submitted)] if isinstance(answer, tuple) else []
    return {"tasks": ids, "submitted": len(ids), "refused": len(request.tasks) - len(ids)}


def _operation(request: bulk.StartOperation, _: object, answer: bulk.Operation) -> Details:
    about = {"operation": answer.id, "action": answer.action.value, "tasks": answer.total}
    return about | {
        "query": answer.query,
        "group": answer.dead_group,
        "agent": answer.agent,
        "over_ms": request.over_ms,
        "probe": request.probe,
    }


_DETAILS: dict[type, Callable[[Any, Any, Any], Details]] = {
    v.Cancel: lambda _r, _b, answer: _changed(answer.previous_status.value, "cancelled", agent=answer.owner),
    v.RetryDeadLetter: lambda *_: _changed("dead_letter", "queued"),
    v.SubmitTasks: _submitted,
    v.CreateIdentity: lambda request, _b, answer: {"role": answer.role.value, "token_id": answer.token_id},
    v.RevokeIdentity: lambda _r, _b, answer: {"tokens_ended": answer},
    v.CreateEnrolment: lambda request, *_: {"expires_at": request.expires_at},
    v.Enrol: lambda _r, _b, answer: {"role": answer.role.value, "token_id": answer.token_id},
    v.WriteSetting: lambda request, before, _: _changed(before, request.value),
    bulk.DiscardDeadLetter: lambda *_: _changed("dead_letter", "discarded"),
    bulk.RecoverDiscarded: lambda *_: _changed("discarded", "dead_letter"),
    search.MuteDeadGroup: lambda request, _b, answer: {"until": answer.until, "note": request.note},
    search.UnmuteDeadGroup: lambda _r, _b, answer: {"was_muted": answer},
    bulk.ChangeLane: lambda request, *_: {"lane": request.lane},
    bulk.Reassign: lambda request, *_: {"agent": request.agent},
    bulk.StartOperation: _operation,
    bulk.CancelOperation: lambda _r, _b, answer: {"done": answer.done, "of": answer.total},
    fleet.OrderAgent: lambda _r, _b, answer: _changed(answer.previous.value, answer.mode.value),
    fleet.ForgetAgent: lambda _r, _b, answer: {"was_known": answer},
    fleet.EndOldTokens: lambda _r, _b, answer: {"tokens_ended": answer},
}
