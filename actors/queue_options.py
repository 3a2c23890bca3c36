"""The numbers of the queue, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskQueueOptions:
    lease_s: float = 90.0
    """An owner that shows no life for so long loses its tasks; more than four pings of 20 s."""

    boot_grace_s: float = 30.0
    """After a start of the hub every assigned task waits so long for its owner: it was the hub that was away."""

    retry_base_s: float = 1.0
    """Back-off after the first failure; doubles with each one."""

    retry_cap_s: float = 300.0
    """No back-off is longer."""

    max_reclaims: int = 5
    """Hand-outs that may end in silence before a task is a dead letter; a task can kill its workers."""

    retention_days: float = 30.0
    """Final tasks are pruned after this; their numbers are kept."""

    max_queued: int = 1_000_000
    """More are refused (``queue_full``): the disk is not endless."""

    min_free_disk: int = 256 * 1024 * 1024
    """Bytes. Below this new tasks are refused (``no_space``), so that those that wait can still be completed."""

    min_free_memory: int = 64 * 1024 * 1024
    """Bytes. Below this new tasks are refused (``overloaded``), before the system ends the hub for want of memory."""

    idempotency_hours: float = 24.0
    """A key is known at least so long after its task ended."""

    discarded_hours: float = 24.0
    """A discarded dead letter can be recovered so long."""

    sweep_period_s: float = 0.5
    """How often leases, back-offs and deadlines are looked at."""

    prune_period_s: float = 60.0
    prune_slice: int = 500
    """Rows of one pruning transaction, so that it never holds up the queue."""

    audit_days: float = 90.0
    """Entries of the audit log are pruned after this."""

    audit_entries: int = 100_000
    """Older ones are pruned whatever their age: about 20 MB."""
