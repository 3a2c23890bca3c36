"""The audit log: who changed what, in which way, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Doer:
    """``way``: page, cli or api, as far as the hub can know. ``role``: that of the token, or ``local`` without one."""

    name: str
    role: str
    way: str


@dataclass(frozen=True, slots=True)
class Audited:
    """Do ``request`` and write its entry, in one transaction. Answer: that of ``request``."""

    request: object
    by: Doer
    action: str
    target: str | None


@dataclass(frozen=True, slots=True)
class RecordAudit:
    """Write the entry of something that another actor did. No answer."""

    by: Doer
    action: str
    target: str | None
    outcome: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``outcome``: ``ok``, or the code of the refusal. ``details``: before and after, or what else belongs to it."""

    seq: int
    at: int
    actor: str
    role: str
    way: str
    action: str
    target: str | None
    outcome: str
    details: Any


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """Answer: ``AuditPage``, newest first. ``None`` means "do not filter"; of an action its beginning is enough (``agent.``)."""

    actor: str | None = None
    way: str | None = None
    action: str | None = None
    target: str | None = None
    outcome: str | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AuditPage:
    entries: tuple[AuditEntry, ...]
    next_cursor: str | None
