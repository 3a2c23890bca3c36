"""Makes a small git repository in the current folder: a Python package with tests and a history of four commits.

Needs git and nothing else. Refuses to touch a folder that has something of that name already. Your own git settings
(signing, hooks, templates) are left out of it.
"""

# ruff: noqa: T201 - a program talks through stdout and stderr

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COUNTING = '''"""Counts what is in a text."""


def count_words(text: str) -> int:
    return len(text.split())


def count_lines(text: str) -> int:
    return len(text.splitlines())
'''

FREQUENCY = '''"""How often each word occurs."""

from collections import Counter


def most_frequent(text: str, limit: int = 3) -> list[tuple[str, int]]:
    """The ``limit`` most frequent words in lower case; equals in the order of the alphabet."""
    counts = Counter(word.strip(".,;:!?").lower() for word in text.split())
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
'''

TEST_COUNTING = """import unittest

from wordtools.counting import count_lines, count_words


class CountingTest(unittest.TestCase):
    def test_an_empty_text_has_no_words(self) -> None:
        self.assertEqual(count_words(""), 0)

    def test_words_are_separated_by_any_white_space(self) -> None:
        self.assertEqual(count_words("one two\\tthree\\nfour"), 4)

    def test_a_last_line_needs_no_line_end(self) -> None:
        self.assertEqual(count_lines("one\\ntwo"), 2)
"""

TEST_FREQUENCY = """import unittest

from wordtools.frequency import most_frequent


class FrequencyTest(unittest.TestCase):
    def test_the_most_frequent_word_is_first(self) -> None:
        self.assertEqual(most_frequent("a b b"), [("b", 2), ("a", 1)])

    def test_case_and_punctuation_do_not_matter(self) -> None:
        self.assertEqual(most_frequent("Sun, sun!", 1), [("sun", 2)])
"""

README = """# wordtools

Counts words, lines and how often a word occurs. A sample: it was made to give agents something to work on.
"""

PACKAGE = '"""Small tools for texts."""\n'

#: (author, message, files)
COMMITS: list[tuple[str, str, dict[str, str]]] = [
    ("Ada", "Begin with a readme", {"README.md": README, ".gitignore": "__pycache__/\n*.zip\n.flaky-check\n"}),
    ("Ada", "Count words and lines", {"wordtools/__init__.py": PACKAGE, "wordtools/counting.py": COUNTING}),
    ("Grace", "Find the most frequent words", {"wordtools/frequency.py": FREQUENCY}),
    (
        "Grace",
        "Test both modules",
        {
            "tests/__init__.py": "",
            "tests/test_counting.py": TEST_COUNTING,
            "tests/test_frequency.py": TEST_FREQUENCY,
        },
    ),
]


def git(*arguments: str) -> None:
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TEMPLATE_DIR": ""}
    command = ["git", *arguments]  # the git that the operator has in PATH
    subprocess.run(command, check=True, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)


def commit(author: str, message: str, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    git("add", "--", *files)
    git("-c", f"user.name={author}", "-c", f"user.email={author.lower()}@example.org", "commit", "-q", "-m", message)


def main() -> int:
    taken = [name for name in (".git", "README.md", "wordtools", "tests") if Path(name).exists()]
    if taken:
        print(f"{Path.cwd()} already has {', '.join(taken)}: run this in an empty folder", file=sys.stderr)
        return 1
    git("-c", "init.defaultBranch=main", "init", "-q")
    for author, message, files in COMMITS:
        commit(author, message, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
