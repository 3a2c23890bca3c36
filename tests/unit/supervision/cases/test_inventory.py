"""No case of the suites that we follow is forgotten: each has a test that bears its name, or a reason on the page."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.unit.supervision.cases.inventory import CASES, LEFT_OUT, LEFT_OUT_IN_PART, claims

PAGE = Path(__file__).resolve().parents[4] / "docs" / "supervision-conformance.md"

#: Original names that are one word, such as ``sup_start_normal``; the others are sentences.
_ONE_WORD = re.compile(r"[a-z_]+$")


def left_out() -> dict[int, str]:
    return {number: why for numbers, why in LEFT_OUT.items() for number in numbers}


def test_every_case_has_a_test_or_a_reason() -> None:
    tested = {number for number, _ in claims()}
    assert [case for case in CASES if case.number not in tested | left_out().keys()] == []
    assert sorted(tested & left_out().keys()) == [], "left out, and tested"
    assert sorted(tested - {case.number for case in CASES}) == [], "no such case"


def test_every_must_has_a_test() -> None:
    assert [case for case in CASES if case.rank == "M" and case.number in left_out()] == []


def test_a_test_bears_the_original_name_of_its_case() -> None:
    said = defaultdict(str)
    for number, text in claims():
        said[number] += f" {text}"
    named = [case for case in CASES if case.number in said and _ONE_WORD.match(case.name)]
    assert [case for case in named if case.name not in said[case.number]] == []


def rows_under(heading: str) -> list[str]:
    section = PAGE.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def test_the_page_says_what_is_left_out_and_why() -> None:
    def numbers(of: tuple[int, ...]) -> str:
        return f"{of[0]} to {of[-1]}" if len(of) > 2 else ", ".join(map(str, of))

    assert rows_under("Left out") == [f"| {numbers(of)} | {why} |" for of, why in LEFT_OUT.items()]


def test_the_page_says_which_parts_of_a_case_are_left_out() -> None:
    tested = {number for number, _ in claims()}
    assert [number for number in LEFT_OUT_IN_PART if number not in tested] == []
    names = {case.number: case.name for case in CASES}
    wanted = [f"| {number}, {names[number]} | {why} |" for number, why in LEFT_OUT_IN_PART.items()]
    assert rows_under("Left out in part") == wanted
