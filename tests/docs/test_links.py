"""Every link and picture of the documents leads somewhere, and no picture is left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.hub import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

_LINK = re.compile(r"\]\(([^)\s]+)\)|\bsrc(?:set)?=\"([^\"]+)\"|\bhref=\"([^\"]+)\"")


def targets(document: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.S | re.M)
    return [next(filter(None, found)) for found in _LINK.findall(text)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_to_a_file(document: Path) -> None:
    missing = [
        target
        for target in targets(document)
        if not re.match(r"[a-z]+:|#", target) and not (document.parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


def test_every_picture_is_shown_somewhere_and_together_they_stay_small() -> None:
    pictures = {path for path in (REPOSITORY / "docs" / "images").iterdir() if path.name != "README.md"}
    shown = {(document.parent / target).resolve() for document in DOCUMENTS for target in targets(document)}
    assert sorted(path.name for path in pictures - shown) == []
    assert sum(path.stat().st_size for path in pictures) < 3 * 1024 * 1024


def test_every_page_of_the_dashboard_is_described_and_listed() -> None:
    table = (REPOSITORY / "web" / "static" / "js" / "pages.js").read_text()
    ids = re.findall(r"^\s*\{ id: '([\w-]+)', path:", table, flags=re.M)
    assert len(ids) >= 10
    index = targets(REPOSITORY / "docs" / "dashboard.md")
    assert [name for name in ids if f"screens/{name}.md" not in index] == []
