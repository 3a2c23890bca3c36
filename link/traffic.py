"""How much went over one connection of the link."""

from __future__ import annotations

import msgspec


class Traffic(msgspec.Struct):
    """Counted from the connection's beginning, once a read and once a write, never once a message; read by any thread.

    ``unsent_bytes``: what was written and the other side has not taken, of this moment.
    """

    messages_in: int = 0
    bytes_in: int = 0
    messages_out: int = 0
    bytes_out: int = 0
    unsent_bytes: int = 0
