"""The kinds of notices that people outside can be told."""

from __future__ import annotations

from enum import StrEnum


class NoticeKind(StrEnum):
    AGENT_OFFLINE = "agent.offline"
    HEALTH_WORSE = "health.worse"
    HEALTH_RECOVERED = "health.recovered"
    DEAD_LETTERS = "dead_letters.new"


#: Sent on request, to one target.
TEST = "test"
