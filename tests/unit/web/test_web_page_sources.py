"""What the page's own files must not contain: ways for data to become markup or code, and anything from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from web.options import STATIC_DIR

VENDORED = "vendor"

#: In code of ours: each turns text into markup or code, or hides from the policy that forbids it.
FORBIDDEN_IN_JS = (
    r"\binnerHTML\b",
    r"\bouterHTML\b",
    r"\binsertAdjacentHTML\b",
    r"\bdangerouslySetInnerHTML\b",
    r"\bcreateContextualFragment\b",
    r"\bDOMParser\b",
    r"\bsrcdoc\b",
    r"\bdocument\s*\.\s*write\b",
    r"\beval\s*\(",
    r"\bnew\s+Function\b",
    r"\bset(?:Timeout|Interval)\s*\(\s*[\"'`]",
    r"\bsetAttribute\s*\(\s*[\"'`](?:style|on\w+)[\"'`]",
    r"\bstyle=\$\{(?!\{)",  # an object sets properties one by one; text would be parsed
    r"javascript:",
)

#: Another origin. The namespace of SVG is a name and is never asked for.
ELSEWHERE = re.compile(r"[\"'(`](?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}", re.I)


def ours(*suffixes: str) -> list[Path]:
    return [
        path
        for path in sorted(STATIC_DIR.rglob("*"))
        if path.suffix in suffixes and VENDORED not in path.relative_to(STATIC_DIR).parts
    ]


def name(path: Path) -> str:
    return path.relative_to(STATIC_DIR).as_posix()


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", text, flags=re.S)


@pytest.mark.parametrize("pattern", FORBIDDEN_IN_JS)
def test_no_module_turns_text_into_markup_or_code(pattern: str) -> None:
    assert len(ours(".js")) > 5
    found = [name(path) for path in ours(".js") if re.search(pattern, without_comments(path.read_text()))]
    assert found == []


def test_no_file_of_ours_names_another_origin() -> None:
    found = [
        f"{name(path)}: {match[0]}"
        for path in ours(".js", ".css", ".html")
        for match in ELSEWHERE.finditer(without_comments(path.read_text()))
    ]
    assert found == []


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        self.found += [f"<{tag} {key}>" for key in given if key == "style" or key.startswith("on")]


def test_no_document_has_inline_script_or_style() -> None:
    assert ours(".html")
    for path in ours(".html"):
        parser = _Inline()
        parser.feed(path.read_text())
        assert parser.found == [], name(path)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('fetch("https://cdn.example.com/x.js")', True),
        ("@import '//fonts.example.com/a.css'", True),
        ('createElementNS("http://www.w3.org/2000/svg", tag)', False),
        ('fetch("/api/tasks")', False),
    ],
)
def test_the_search_for_other_origins_finds_them(text: str, is_found: bool) -> None:
    assert bool(ELSEWHERE.search(text)) is is_found


# --- nothing that nobody uses ------------------------------------------------------------------------------------------

#: Classes whose names are put together, by how they begin, and those that a library sets.
PUT_TOGETHER = ("col-", "table-", "page-", "panel-", "tone-", "lane-", "ansi-", "json-", "u-")


def selectors(path: Path) -> list[str]:
    rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return [part.strip() for found in re.findall(r"([^{};]+)\{", rules) for part in found.split(",")]


def is_word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def test_every_class_of_the_style_sheets_is_used() -> None:
    code = "\n".join(without_comments(path.read_text()) for path in ours(".js", ".html"))
    classes = {
        found for path in ours(".css") for one in selectors(path) for found in re.findall(r"\.([a-z][\w-]*)", one)
    }
    assert len(classes) > 100
    assert [one for one in sorted(classes) if not one.startswith(PUT_TOGETHER) and not is_word(one, code)] == []


def test_the_width_of_a_column_is_that_of_one_table() -> None:
    columns = [one for path in ours(".css") for one in selectors(path) if ".col-" in one]
    assert columns
    assert [one for one in columns if not re.match(r"\.(table-[\w-]+|grid-(row|body)) ", one)] == []


def test_what_a_module_exports_is_imported_somewhere() -> None:
    modules = {path: without_comments(path.read_text()) for path in ours(".js")}
    unused = [
        f"{name(path)}: {export}"
        for path, code in modules.items()
        for export in re.findall(r"^export (?:async )?(?:function|class|const|let) (\w+)", code, re.M)
        if not any(is_word(export, other) for elsewhere, other in modules.items() if elsewhere != path)
    ]
    assert unused == []
