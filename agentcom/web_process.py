"""Entry point of a web process: options from the root in the environment, then ``web.process``."""

from __future__ import annotations

import os
import signal
import sys

import msgspec

from agentcom.logs import configure_logging
from agentcom.process_options import WEB_VARIABLE, WebProcessOptions
from supervision.posix import die_with_parent
from web.options import WebOptions
from web.process import run


def main() -> int:
    options = msgspec.json.decode(os.environ[WEB_VARIABLE], type=WebProcessOptions)
    die_with_parent(signal.SIGKILL, options.parent_pid)
    os.umask(0o077)
    configure_logging(options.web_id, options.log_level)
    return run(
        WebOptions(
            listen_fd=options.listen_fd,
            hub_socket=options.hub_socket,
            processes_file=options.processes_file,
            web_id=options.web_id,
            allowed_hosts=options.allowed_hosts,
            trusted_origins=options.trusted_origins,
            bind_is_loopback=options.bind_is_loopback,
            dashboard_auth=options.dashboard_auth,
            clock_file=options.clock_file,
            outgoing_networks=options.outgoing_networks,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
