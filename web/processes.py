"""The tree of processes, as the root last wrote it down."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from wire import codec

#: What grows while nobody writes the file.
AGES = ("uptime_s", "last_exit_s")


def read(path: str | None) -> dict[str, Any] | None:
    """The root's node with everything under it, ages as of now; None when there is no root (tests) or it is going down."""
    if path is None:
        return None
    try:
        seen = codec.decode_own(Path(path).read_bytes())
    except OSError:
        return None
    return _aged(seen["tree"], time.monotonic() - seen["at_s"])


def _aged(node: dict[str, Any], by_s: float) -> dict[str, Any]:
    ages = {name: round(node[name] + by_s, 3) for name in AGES if node[name] is not None}
    return {**node, **ages, "children": [_aged(child, by_s) for child in node["children"]]}
