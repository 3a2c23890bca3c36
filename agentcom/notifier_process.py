"""Entry point of the notifier: options from the root in the environment, then ``notifier.process``."""

from __future__ import annotations

import os
import signal
import sys

import msgspec

from agentcom.logs import configure_logging
from agentcom.process_options import NOTIFIER_VARIABLE, NotifierProcessOptions
from notifier.options import NotifierOptions
from notifier.process import NAME, run
from supervision.posix import die_with_parent
from wire.outgoing import Policy, parse_networks


def main() -> int:
    options = msgspec.json.decode(os.environ[NOTIFIER_VARIABLE], type=NotifierProcessOptions)
    die_with_parent(signal.SIGKILL, options.parent_pid)
    os.umask(0o077)
    configure_logging(NAME, options.log_level)
    policy = Policy(parse_networks(options.outgoing_networks))
    return run(NotifierOptions(options.hub_socket, policy, options.first_retry_s, options.contact))


if __name__ == "__main__":
    sys.exit(main())
