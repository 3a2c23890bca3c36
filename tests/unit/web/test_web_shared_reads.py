"""Many pages that ask the same get one answer of the hub, which was begun after the last of them asked."""

from __future__ import annotations

import asyncio

from tests.unit.web.kit import Kit, with_kit
from web import shared_reads


@with_kit()
async def test_the_same_question_of_many_pages_is_asked_once_or_twice(kit: Kit) -> None:
    kit.hub.ops["operations.list"] = list
    answers = await asyncio.gather(*(kit.get("/api/operations", token=None) for _ in range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    await asyncio.gather(*(kit.web.services.reads.read("operations.list") for _ in range(50)))
    assert len([op for op, _ in kit.hub.calls if op == "operations.list"]) <= 8 + 2


@with_kit()
async def test_an_answer_knows_what_happened_before_the_question(kit: Kit) -> None:
    numbers = iter(range(100))
    kit.hub.ops["operations.list"] = lambda: [next(numbers)]
    first = asyncio.create_task(kit.web.services.reads.read("operations.list"))
    await asyncio.sleep(0)
    second, third = await asyncio.gather(*(kit.web.services.reads.read("operations.list") for _ in range(2)))
    assert await first == [0] and second == third == [1]


@with_kit()
async def test_other_arguments_are_another_question_and_old_ones_are_forgotten(kit: Kit) -> None:
    kit.hub.ops["tasks.suggest"] = lambda key: [key]
    for number in range(shared_reads.QUESTIONS + 5):
        assert await kit.web.services.reads.read("tasks.suggest", key=f"k{number}") == [f"k{number}"]
    assert len(kit.web.services.reads._flights) <= shared_reads.QUESTIONS
