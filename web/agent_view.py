"""An agent as the API and the agent socket show it (protocol.md sections 1.2 and 3)."""

from __future__ import annotations

from typing import Any


def _fields(agent: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: agent[name] for name in names}


def socket_object(agent: dict[str, Any]) -> dict[str, Any]:
    """The answer to ``list_agents`` on ``/ws``: capabilities as the agent sent them."""
    return _fields(agent, "agent_id", "name", "status", "capabilities", "connected_at")


def list_object(agent: dict[str, Any]) -> dict[str, Any]:
    return socket_object(agent) | _fields(agent, "fsm_state", "mode")


def state_object(agent: dict[str, Any]) -> dict[str, Any]:
    """Capabilities as objects with a name."""
    shown = _fields(agent, "agent_id", "name", "fsm_state", "current_task_id", "flags", "connected_at")
    shown["capabilities"] = [
        capability if isinstance(capability, dict) else {"name": capability} for capability in agent["capabilities"]
    ]
    return shown
