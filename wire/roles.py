"""Who an identity may be. What each role may do stands in ``web.access``."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    """Takes tasks; may submit and read, as every token of the first protocol could."""
    SUBMITTER = "submitter"
    """Submits, reads, and cancels or retries its own."""
    OPERATOR = "operator"
    """Cancels and retries any task, pushes tasks, dismisses agents."""
    ADMIN = "admin"
    """Everything: tokens, settings, reset."""
