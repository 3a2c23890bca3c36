"""The conditions of health: ids that page, JSON, metrics and command line share and that never change, each with its severity."""

from __future__ import annotations

OK = "ok"
WARNING = "warning"
CRITICAL = "critical"

#: In the order in which they are listed.
CONDITIONS = {
    "no_agents": CRITICAL,
    "failure_rate": CRITICAL,
    "storage": CRITICAL,
    "agent_offline": WARNING,
    "queue_growing": WARNING,
    "stuck_tasks": WARNING,
    "oldest_wait": WARNING,
    "dead_letters_new": WARNING,
    "rejected_input": WARNING,
    "webhook_disabled": WARNING,
}
