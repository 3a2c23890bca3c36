"""Tokens: one spelling each, nothing to be had from their stored form."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import tokens
from wire.roles import Role


def test_a_token_is_parsed_to_what_was_minted() -> None:
    for role in Role:
        for _ in range(200):
            minted = tokens.mint(role.value)
            assert minted.token.startswith(f"hub_{role.value}_")
            assert tokens.parse(minted.token) == (minted.token_id, minted.secret_sha256)


def test_ids_and_secrets_do_not_repeat() -> None:
    minted = [tokens.mint("agent") for _ in range(500)]
    assert len({one.token_id for one in minted}) == len({one.secret_sha256 for one in minted}) == 500


def test_the_stored_hash_is_that_of_the_secret_bytes() -> None:
    minted = tokens.mint("agent")
    assert len(minted.secret_sha256) == hashlib.sha256().digest_size
    assert minted.token_id in minted.token and minted.secret_sha256.hex() not in minted.token


def test_a_minted_token_does_not_show_itself_in_a_log() -> None:
    minted = tokens.mint("admin")
    assert minted.token not in repr(minted) and minted.token not in f"{minted}"


VALID = "hub_agent_" + "A" * 16 + "_" + "A" * 43


@pytest.mark.parametrize(
    "text",
    [
        "", "hub", "hub_", "hub_agent_x_y", VALID[:-1], VALID + "A", VALID + "\n", " " + VALID, VALID.upper(),
        VALID.replace("hub_", "bub_"), VALID.replace("agent", ""), VALID.replace("agent", "AGENT"), VALID.replace("A", "é", 1),
        VALID[:-1] + "B", VALID[:-1] + "=", VALID[:10] + "+" + VALID[11:], VALID[:30] + "." + VALID[31:], "hub_" + "a" * 9000,
    ],
)  # fmt: skip
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens.parse(text) is None


def test_each_token_has_one_spelling() -> None:
    """The last letter of base64 has bits that nobody reads; only one of its four spellings is taken."""
    minted = tokens.mint("agent").token
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = [last for last in alphabet if tokens.parse(minted[:-1] + last) == tokens.parse(minted)]
    assert same == [minted[-1]]


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=100))
def test_any_text_is_parsed_or_none(text: str) -> None:
    assert tokens.parse(text) is None or text.startswith("hub_")


def test_hashes_are_compared_whole() -> None:
    assert tokens.matches(b"a" * 32, b"a" * 32)
    assert not tokens.matches(b"a" * 32, b"a" * 31 + b"b")
    assert not tokens.matches(bytes(32), hashlib.sha256(b"").digest())
