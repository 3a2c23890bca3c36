"""The receiver that ``docs/notifications.md`` shows accepts what the hub signs, and nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from notifier import signing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "notifications.md"
SECRET = signing.secret_of(b"a signing key of 24 byte")


@pytest.fixture(scope="module")
def is_from_the_hub() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names["is_from_the_hub"]


def test_what_the_hub_signs_is_accepted(is_from_the_hub: Any) -> None:
    headers = signing.headers(SECRET, "msg_1", int(time.time()), b'{"type":"test"}')
    assert is_from_the_hub(SECRET, headers, b'{"type":"test"}')
    both = headers | {"webhook-signature": "v1,AAAA " + headers["webhook-signature"]}
    assert is_from_the_hub(SECRET, both, b'{"type":"test"}'), "one of several, while a secret is replaced"


def test_anything_else_is_refused(is_from_the_hub: Any) -> None:
    now = int(time.time())
    headers = signing.headers(SECRET, "msg_1", now, b"body")
    assert not is_from_the_hub(SECRET, headers, b"other body")
    assert not is_from_the_hub(signing.secret_of(b"another key of 24 bytes!"), headers, b"body")
    assert not is_from_the_hub(SECRET, headers | {"webhook-id": "msg_2"}, b"body")
    assert not is_from_the_hub(SECRET, signing.headers(SECRET, "msg_1", now - 301, b"body"), b"body"), (
        "a repetition of old"
    )
