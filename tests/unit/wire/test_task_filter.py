"""The filter language: what it means, what it refuses, and that a filter written out again is the same filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import Invalid
from wire.task_filter import FILTER_CHARS, FILTER_TERMS, KEYS, TEXT, Filter, Term, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  \t ", ()),
        ("state:queued", (Term("state", ("queued",)),)),
        ("state:working,dead", (Term("state", ("assigned", "dead_letter")),)),
        ("-lane:urgent,3", (Term("lane", (0, 3), negated=True),)),
        ("agent:anna agent:bert", (Term("agent", ("anna",)), Term("agent", ("bert",)))),
        ('error:"no, not now"', (Term("error", ("no, not now",)),)),
        ("age:>10m", (Term("age", (600_000,), ">"),)),
        ("updated:<=2h -took:>1s", (Term("updated", (7_200_000,), "<="), Term("took", (1_000,), ">", negated=True))),
        ("retries:0,2 tokens:>=5", (Term("retries", (0, 2)), Term("tokens", (5,), ">="))),
        (
            'word "two words" -gone',
            (Term(TEXT, ("word",)), Term(TEXT, ("two words",)), Term(TEXT, ("gone",), negated=True)),
        ),
        (r'"say \"yes\" \\"', (Term(TEXT, ('say "yes" \\',)),)),
        ("STATE:Queued", (Term("state", ("queued",)),)),
        ("submitted_by:ci", (Term("submitted-by", ("ci",)),)),
        ("a,b", (Term(TEXT, ("a,b",)),)),
    ],
)
def test_what_a_filter_means(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text) == Filter(terms)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("agnet:x", "unknown_key", "did you mean agent:?"),
        ("status:queued", "unknown_key", "did you mean state:?"),
        ("http://x", "unknown_key", "Quote words that contain a colon"),
        ("state:quequed", "unknown_value", "did you mean queued?"),
        ("lane:fast", "unknown_value", "urgent, high, normal, low"),
        ("age:10m", "no_comparison", "age:>10m"),
        ("age:>soon", "bad_format", "30s, 10m, 2h or 7d"),
        ("retries:>1,2", "bad_format", "one comparison"),
        ("tokens:many", "bad_format", "takes a number"),
        ("group:xyz", "bad_format", "12 hexadecimal digits"),
        ("agent:", "empty", "needs a value"),
        ('"not closed', "not_closed", "quotation mark"),
        ("x" * (FILTER_CHARS + 1), "too_long", "characters"),
        ("x " * (FILTER_TERMS + 1), "too_many", "terms"),
    ],
)
def test_what_it_refuses_says_what_to_write_instead(text: str, error: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    [fault] = refused.value.errors
    assert (fault.field, fault.error) == ("q", error) and says in fault.detail


def test_a_refusal_never_repeats_the_text() -> None:
    for text in ("secret-key:1", "state:secret", "age:>secret", "id:\x01secret"):
        with pytest.raises(Invalid) as refused:
            parse(text)
        assert "secret" not in refused.value.errors[0].detail


def words(key: str) -> st.SearchStrategy[str | int]:
    match KEYS[key].kind:
        case "state":
            return st.sampled_from(["queued", "assigned", "completed", "dead_letter", "cancelled", "discarded"])
        case "lane":
            return st.integers(0, 3)
        case "group":
            return st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
        case "operation":
            return st.from_regex(r"op-[0-9a-f]{12}", fullmatch=True)
        case "id":
            return st.from_regex(r"[!-~]{1,64}", fullmatch=True)
    return st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)


@st.composite
def terms(draw: st.DrawFn) -> Term:
    key = draw(st.sampled_from([*KEYS, TEXT]))
    negated = draw(st.booleans())
    if key == TEXT:
        return Term(TEXT, (draw(words("agent")),), negated=negated)
    if KEYS[key].kind in ("number", "duration"):
        op = draw(st.sampled_from(["<", "<=", ">", ">="]))
        return Term(key, (draw(st.integers(0, 999_999_999)),), op, negated)
    return Term(key, tuple(draw(st.lists(words(key), min_size=1, max_size=3, unique=True))), negated=negated)


@given(st.lists(terms(), max_size=8))
def test_a_filter_written_out_is_the_same_filter(those: list[Term]) -> None:
    filter_ = Filter(tuple(those))
    assert parse(str(filter_)) == filter_


@given(st.text(max_size=200))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        assert parse(str(parse(text))) == parse(text)
    except Invalid as refused:
        assert refused.errors
