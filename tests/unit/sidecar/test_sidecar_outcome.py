"""What a command printed becomes a result, a progress value or an error."""

from __future__ import annotations

import pytest

from sidecar.outcome import OUTPUT_CHARS, cleaned, exit_failure, progress_of, success
from wire import limits


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("progress: 40", 40),
        ("Progress:100%", 100),
        ('{"progress": 12.6}', 13),
        ('  {"progress":0}\r', 0),
        ("progress: 101", None),
        ("progress: -1", None),
        ('{"progress": true}', None),
        ('{"progress": "40"}', None),
        ('{"progress": 40, "note": 1}', None),
        ('{"progress": NaN}', None),
        ("my progress: 40", None),
        ("", None),
    ],
)
def test_a_line_is_progress_or_it_is_not(line: str, percent: int | None) -> None:
    assert progress_of(line) == percent


@pytest.mark.parametrize(
    ("stdout", "result"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{\n  "a": 1\n}\n', {"a": 1}),
        ('progress: 10\n{\n "a": 1\n}\n', {"a": 1}),
        ('building\n{"a": 1}\nbye\n{"progress": 100}\n', {"a": 1}),
        ('{"a": 1}\n{"b": 2}\n', {"b": 2}),
        ("plain text\n", {"output": "plain text"}),
        ("[1, 2]\n", {"output": "[1, 2]"}),
        ('{"a": NaN}', {"output": '{"a": NaN}'}),
        ("", {"output": ""}),
    ],
)
def test_the_result_is_the_object_printed_last_or_the_text(stdout: str, result: dict[str, object]) -> None:
    assert success(stdout).result == result


@pytest.mark.parametrize(
    ("tokens", "counted"), [("12", 12), ("-1", None), ("true", None), ("1.5", None), ('"9"', None)]
)
def test_tokens_are_taken_from_the_result_if_they_are_a_number(tokens: str, counted: int | None) -> None:
    assert success(f'{{"tokens_used": {tokens}}}').tokens_used == counted


def test_a_result_that_the_hub_would_refuse_for_its_size_becomes_the_end_of_the_text() -> None:
    result = success('{"a": "' + "x" * limits.RESULT_BYTES + '"}').result
    assert result is not None and len(result["output"]) == OUTPUT_CHARS


def test_a_result_that_escaping_makes_too_large_for_a_frame_becomes_text() -> None:
    """Sent all the same, it would close the connection with 1009, and again after each reconnect."""
    result = success('{"a": "' + "é" * (100 * limits.KIB) + '"}').result
    assert result is not None and set(result) == {"output"}


def test_an_error_has_the_status_and_the_end_of_stderr_within_the_limit() -> None:
    error = exit_failure(3, "x" * 10_000 + "the reason\x1b[31m\x07\n").error
    assert error is not None and len(error) <= limits.ERROR_CHARS
    assert error.startswith("exit status 3: xx") and error.rstrip("\ufffd").endswith("the reason")
    assert exit_failure(1, " \n").error == "exit status 1"
    assert exit_failure(-9, "").error == "ended by signal 9"


def test_terminal_sequences_do_not_reach_the_dashboard() -> None:
    assert cleaned("\x1b]0;title\x07a\x1b[2Jb\x00c\td\r\ne") == "ab\ufffdc\td\ne"
