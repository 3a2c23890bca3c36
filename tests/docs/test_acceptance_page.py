"""The list of what the dashboard must do says no test that is not there, and leaves none out that is."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.harness.hub import REPOSITORY

PAGE = REPOSITORY / "docs" / "dashboard-acceptance.md"
FOLDER = REPOSITORY / "tests" / "browser"

#: How many things there are, by the first digit of their ids; ``A88`` and the like are no ids.
NUMBERS = {0: "123456", 1: "0123456789", 2: "01", 3: "012345", 4: "012345", 5: "0123456789", 6: "01", 7: "0123"} | {
    8: "01234567",
    9: "012345",
}
IDS = [f"A{ten}{one}" for ten, ones in NUMBERS.items() for one in ones]


@dataclass(frozen=True)
class Row:
    files: tuple[str, ...]
    left_out: str


def rows() -> dict[str, Row]:
    found = re.findall(r"^\| (A\d\d) \| (?:[^|]+) \| ([^|]*) \| ?([^|]*)\|$", PAGE.read_text(), re.M)
    assert len(found) == len({one for one, _, _ in found})
    return {one: Row(tuple(re.findall(r"`([\w.]+)`", files)), why.strip()) for one, files, why in found}


def ids_in(file: str) -> set[str]:
    """The ids in the names of the tests of a file."""
    names = re.findall(r"^def (test_A\d\d\w*)", (FOLDER / file).read_text(), re.M)
    return {one for name in names for one in re.findall(r"(?<=_)A\d\d(?=_)", name + "_")}


def test_every_id_is_listed() -> None:
    assert list(rows()) == IDS


@pytest.mark.parametrize("one", IDS)
def test_each_has_the_tests_that_it_names_or_a_reason(one: str) -> None:
    row = rows()[one]
    assert row.files or row.left_out
    for file in row.files:
        assert (FOLDER / file).is_file() and one in ids_in(file), f"{file} has no test of {one}"


def test_no_test_with_an_id_is_left_out_of_the_list() -> None:
    listed = {(file, one) for one, row in rows().items() for file in row.files}
    there = {(path.name, one) for path in FOLDER.glob("test_*.py") for one in ids_in(path.name)}
    assert there - listed == set()
