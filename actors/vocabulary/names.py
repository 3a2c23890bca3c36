"""The names under which actors find one another. Names, never refs, are what an actor keeps of another."""

HUB_SUPERVISOR = "hub_supervisor"
TASK_QUEUE = "task_queue"
AGENT_SUPERVISOR = "agent_supervisor"
SCHEDULER = "scheduler"
GATEWAY = "gateway"
DASHBOARD_STATE = "dashboard_state"
OBSERVATION_SUPERVISOR = "observation_supervisor"
WATCHER = "watcher"
BROADCASTER = "broadcaster"
OUTPUT = "output"


def agent_fsm(agent_id: str) -> str:
    return f"agent:{agent_id}"
