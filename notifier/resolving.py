"""Names become addresses once, and only addresses that were found good are connected to.

So a name whose meaning changes between the look and the connection gains nothing; TLS still compares the certificate with
the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

from tornado.netutil import Resolver

from wire.outgoing import Policy


class CheckedResolver(Resolver):
    """For one request of ``scheme``."""

    def initialize(self, policy: Policy, scheme: str) -> None:
        self._policy = policy
        self._scheme = scheme

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """Raises ``Refused`` when one of the addresses is forbidden: a name that leads inside too is not to be trusted."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        for _, _, _, _, where in found:
            self._policy.check(ipaddress.ip_address(str(where[0]).partition("%")[0]), self._scheme)
        return [(int(kind), where) for kind, _, _, _, where in found]
