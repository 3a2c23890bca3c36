"""What a web process is told at its start, and the numbers that tests may shrink."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

STATIC_DIR = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class WebLimits:
    """Times in seconds. Numbers are for one web process."""

    # --- HTTP -------------------------------------------------------------------------------------------------------
    header_timeout_s: float = 10.0
    """For the whole head of a request, and for an idle keep-alive connection."""
    body_timeout_s: float = 15.0
    call_timeout_s: float = 5.0
    """For an answer of the hub; its own limit is shorter, so that its answer comes first."""

    # --- connections (security.md N8, with 10,000 agents on one machine in mind) --------------------------------------
    connections: int | None = None
    """None: as many as the process may open files, less ``RESERVED_FILES``."""
    connections_per_address: int = 1_024
    """Does not apply to loopback."""
    unidentified_agents: int = 2_048
    dashboards: int = 1_000

    # --- agent sockets ----------------------------------------------------------------------------------------------
    identify_timeout_s: float = 5.0
    hub_wait_s: float = 5.0
    """How long an ``identify`` waits for a hub that is away."""
    ping_after_s: float = 20.0
    """A socket that was silent for so long is asked for a sign of life."""
    idle_s: float = 60.0
    """A socket without any sign of life for so long is closed with 1002."""
    seen_period_s: float = 10.0
    """How often the hub is told which agents showed life."""
    sweep_period_s: float = 1.0
    bad_identifies: int = 3
    violations: int = 10
    violations_window_s: float = 60.0
    unsent_bytes: int = 1024 * 1024
    """What may wait in the write buffer of one socket."""

    # --- dashboards -------------------------------------------------------------------------------------------------
    frames_per_window: int = 10
    frames_window_s: float = 1.05
    """Ten frames in this time are fewer than ten in any second, whatever the jitter of a network makes of it."""
    snapshot_gap_s: float = 0.25
    """Least time between two snapshots that one page asks for."""
    views: int = 16
    """Tasks and outputs that one page looks at at once."""
    ring_batches: int = 600
    ring_bytes: int = 8 * 1024 * 1024
    deaf_s: float = 60.0
    """A page that takes nothing for so long is closed."""

    # --- stopping ---------------------------------------------------------------------------------------------------
    drain_s: float = 2.5
    """For requests that are under way when the process is told to stop."""


@dataclass(frozen=True, slots=True)
class WebOptions:
    listen_fd: int
    """A listening TCP socket, inherited and shared with the other web processes."""
    hub_socket: str
    """Path of the hub's Unix socket."""
    web_id: str
    processes_file: str | None = None
    """Where the root keeps the tree of processes."""
    allowed_hosts: tuple[str, ...] = ()
    """``name`` or ``name:port``, beside the names of this machine's loopback."""
    trusted_origins: tuple[str, ...] = ()
    """Origins such as ``https://hub.example``, for a proxy that speaks TLS."""
    bind_is_loopback: bool = True
    dashboard_auth: str = "open"
    """open: reading the dashboard needs no token. token: it does."""
    clock_file: str | None = None
    """Where the wall clock of a hub whose time stands still is read; None: the system's."""
    outgoing_networks: tuple[str, ...] = ()
    """Networks that are not public and that webhooks may reach all the same."""
    static_dir: str = str(STATIC_DIR)
    limits: WebLimits = field(default_factory=WebLimits)
