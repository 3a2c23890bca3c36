"""The figures on the page are those that the scripts measured."""

from __future__ import annotations

import json

from bench import report


def test_the_tables_of_the_page_are_made_from_the_figures() -> None:
    text = report.PAGE.read_text()
    assert report.rewritten(text, json.loads(report.FIGURES.read_text())) == text, "run: python -m bench.report"
