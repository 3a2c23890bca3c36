"""What the scripted hub answers and saw, and what a call of the command line gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass
class ScriptedHub:
    """Answers ``routes[(method, path)]``: (status, body), or a list of them, of which the last is repeated."""

    url: str = ""
    routes: dict[tuple[str, str], Any] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        script = self.routes.get(
            (method, path.partition("?")[0]), (404, {"error": "not_found", "detail": "no such path"})
        )
        if isinstance(script, list):
            script = script.pop(0) if len(script) > 1 else script[0]
        status, body = script
        return status, body


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call: TypeAlias = Callable[..., Result]
