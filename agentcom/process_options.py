"""What the root tells its child processes: plain values, so that the root itself needs neither actors nor a web server."""

from __future__ import annotations

import msgspec

#: Environment variables that carry these structs as JSON.
HUB_VARIABLE = "AGENTCOM_HUB_OPTIONS"
WEB_VARIABLE = "AGENTCOM_WEB_OPTIONS"
NOTIFIER_VARIABLE = "AGENTCOM_NOTIFIER_OPTIONS"


class HubOptions(msgspec.Struct, frozen=True):
    """Names, units and meanings are those of ``agentcom.config``."""

    parent_pid: int
    data_dir: str
    link_socket: str
    log_level: str
    max_restarts: int
    max_seconds: float
    lease_s: float
    boot_grace_s: float
    retry_base_s: float
    retry_cap_s: float
    max_reclaims: int
    retention_days: float
    max_queued: int
    acceptance_timeout_s: float
    grace_s: float
    environment: str | None = None
    offline_after_s: float = 60.0
    stuck_after_s: float = 300.0
    wait_targets_s: tuple[float, ...] = (60.0, 300.0, 900.0, 3600.0)
    clock_file: str | None = None
    """Time stands still at what this file says (``agentcom.stopped_clock``)."""


class WebProcessOptions(msgspec.Struct, frozen=True):
    parent_pid: int
    log_level: str
    web_id: str
    listen_fd: int
    hub_socket: str
    processes_file: str
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    bind_is_loopback: bool
    dashboard_auth: str
    outgoing_networks: tuple[str, ...]
    clock_file: str | None = None


class NotifierProcessOptions(msgspec.Struct, frozen=True):
    parent_pid: int
    log_level: str
    hub_socket: str
    outgoing_networks: tuple[str, ...]
    first_retry_s: float
    contact: str
