"""Lines of a task are safe in a terminal and in a page, whatever printed them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import limits
from wire.errors import Invalid
from wire.frames import TaskOutput, parse_frame
from wire.output import encoded_lines, plain_line, safe_line


@pytest.mark.parametrize(
    ("printed", "safe"),
    [
        ("plain\ttext", "plain\ttext"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b[?1049hother screen", "other screen"),
        ("bell\x07 null\x00 escape\x1b", "bell\ufffd null\ufffd escape\ufffd"),
        ("\x9b31mc1", "\ufffd31mc1"),
        ("line\u2028separator", "line\ufffdseparator"),
        ("\x1b[\x1b[31mnested", "\ufffd[\x1b[31mnested"),
    ],
)
def test_colours_stay_and_what_a_terminal_would_obey_goes(printed: str, safe: str) -> None:
    assert safe_line(printed) == safe


@given(st.text(alphabet=st.sampled_from("\x1b[]0;3m1Hx\x07\\\x00\x9b\r\n\u2028é"), max_size=40))
def test_no_text_leaves_an_order_for_a_terminal(text: str) -> None:
    rest = re.sub(r"\x1b\[[0-9;]{0,32}m", "", safe_line(text))
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]", rest)
    assert "\x1b" not in plain_line(text)


def test_a_line_of_any_length_is_cut_so_that_it_fits() -> None:
    assert len(safe_line("w" * 1_000_000)) == limits.OUTPUT_LINE_CHARS
    assert safe_line("w" * 10_000) == "w" * 10_000


def test_lines_are_encoded_so_that_they_can_be_joined() -> None:
    assert encoded_lines([("out", "a"), ("err", 'b"')]) == b'["out","a"],["err","b\\""]'


def frame(**fields: object) -> dict[str, object]:
    return {"type": "task_output", "task_id": "t", "generation": 1, "seq": 1, "lines": [["out", "x"]], **fields}


def test_a_frame_of_output_is_understood() -> None:
    parsed = parse_frame(frame(lines=[["out", "x"], ["err", ""]]))
    assert isinstance(parsed, TaskOutput)
    assert parsed.lines == [("out", "x"), ("err", "")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("generation", None),
        ("seq", 0),
        ("seq", 2**53),
        ("lines", []),
        ("lines", [["out", "x"]] * (limits.OUTPUT_LINES + 1)),
        ("lines", ["x"]),
        ("lines", [["in", "x"]]),
        ("lines", [["out", 1]]),
        ("lines", [["out"]]),
    ],
)
def test_any_other_frame_is_refused_and_names_the_field(field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        parse_frame(frame(**{field: value}))
    assert refused.value.errors[0].field.startswith(field)
