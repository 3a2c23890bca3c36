"""Finding tasks: every filter finds what a plain loop over all tasks finds, in pages of any size, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from actors import sqlite_search
from actors.sqlite_storage import SqliteStorage
from actors.storage import DoesNotFit
from actors.vocabulary.search import CountTasks, FindTasks, FoundTasks
from actors.vocabulary.tasks import Task
from tests.harness.seed import NOON_MS, Mix, seed
from wire.task_filter import parse

MIX = Mix(400, queued=40, dead=60, cancelled=20)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStorage]:
    folder = tmp_path_factory.mktemp("search") / "data"
    seed(folder, MIX)
    made = SqliteStorage(folder / "hub.db")
    yield made
    made.close()


@pytest.fixture(scope="module")
def everything(storage: SqliteStorage) -> list[Task]:
    keys = [key for (key,) in storage._run("SELECT key FROM task")]
    return sorted(storage.read_many(keys).values(), key=lambda task: task.key, reverse=True)


@pytest.fixture(params=["long stretches", "short stretches"])
def stretches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones end in the middle of everything, and gather nothing."""
    if request.param == "short stretches":
        monkeypatch.setattr(sqlite_search, "SCAN", 7)
        monkeypatch.setattr(sqlite_search, "GATHERED", 3)


def pages(storage: SqliteStorage, limit: int, **query: object) -> Iterator[FoundTasks]:
    backwards = bool(query.get("backwards"))
    cursor: str | None = None
    for _ in range(1000):
        page = storage.search.find(FindTasks(cursor=cursor, limit=limit, **query), NOON_MS)  # type: ignore[arg-type]
        yield page
        cursor = page.previous if backwards else page.next
        if cursor is None:
            return
    raise AssertionError("the pages do not end")


FILTERS: list[tuple[str, Callable[[Task], bool]]] = [
    ("", lambda task: True),
    ("state:queued", lambda task: task.status == "queued"),
    ("state:dead_letter", lambda task: task.status == "dead_letter"),
    ("-state:completed", lambda task: task.status != "completed"),
    (
        "state:queued,cancelled lane:1,2",
        lambda task: task.status in ("queued", "cancelled") and task.priority in (1, 2),
    ),
    ("-lane:urgent", lambda task: task.priority != 0),
    ("agent:agent-7,agent-9", lambda task: task.assigned_to in ("agent-7", "agent-9")),
    ("-agent:agent-7", lambda task: task.assigned_to != "agent-7"),
    ("error:TIMEOUT", lambda task: "timeout" in (task.last_error or "")),
    (
        "-error:timeout state:dead",
        lambda task: task.status == "dead_letter" and "timeout" not in (task.last_error or ""),
    ),
    ("error:100%", lambda task: False),
    ("needs:nobody-has-this", lambda task: True),
    ("needs:nobody", lambda task: False),
    ("retries:>=2", lambda task: task.retry_count >= 2),
    ("retries:0,1", lambda task: task.retry_count in (0, 1)),
    ("-retries:0,1", lambda task: task.retry_count > 1),
    ("tokens:>1000 tokens:<2000", lambda task: 1000 < task.tokens_used < 2000),
    ("age:>100s", lambda task: NOON_MS - task.created_at > 100_000),
    ("age:<=100s", lambda task: NOON_MS - task.created_at <= 100_000),
    ("-age:<100s", lambda task: NOON_MS - task.created_at >= 100_000),
    ("updated:<1m", lambda task: NOON_MS - task.updated_at < 60_000),
    ("took:>15s", lambda t: t.status == "completed" and (t.completed_at or 0) - (t.assigned_at or 0) > 15_000),
    ("submitted-by:team-3", lambda task: task.submitted_by == "team-3"),
    ("README", lambda task: "README" in task.description),
    ('-readme "the p"', lambda task: "README" not in task.description and "the p" in task.description),
    ("state:queued state:cancelled", lambda task: False),
]


@pytest.mark.usefixtures("stretches")
@pytest.mark.parametrize(("text", "fits"), FILTERS, ids=[text or "nothing" for text, _ in FILTERS])
def test_a_filter_finds_what_a_loop_finds(
    storage: SqliteStorage, everything: list[Task], text: str, fits: Callable[[Task], bool]
) -> None:
    wanted = [task.id for task in everything if fits(task)]
    filter_ = parse(text)
    for limit in (3, 100):
        newest_first = [task.id for page in pages(storage, limit, filter=filter_) for task in page.tasks]
        oldest_first = [
            task.id for page in pages(storage, limit, filter=filter_, descending=False) for task in page.tasks
        ]
        from_the_end = [page.tasks for page in pages(storage, limit, filter=filter_, backwards=True)]
        assert newest_first == wanted and oldest_first == wanted[::-1]
        assert [task.id for page in reversed(from_the_end) for task in page] == wanted
    assert counted(storage, text) == len(wanted)


def counted(storage: SqliteStorage, text: str) -> int:
    total, position = 0, None
    for _ in range(1000):
        step = storage.search.count(CountTasks(parse(text), position), NOON_MS)
        total, position = total + step.count, step.position
        if position is None:
            assert step.is_all
            return total
    raise AssertionError("counting does not end")


@pytest.mark.usefixtures("stretches")
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("order", "text", "place"),
    [
        ("lane", "state:queued", lambda task: (task.priority, task.seq)),
        ("lane", "state:queued lane:2,3", lambda task: (task.priority, task.seq)),
        ("ended", "state:completed", lambda task: (task.updated_at, task.key)),
        ("ended", "state:completed,dead,cancelled -lane:low", lambda task: (task.updated_at, task.key)),
    ],
)
def test_every_order_holds_over_all_pages(
    storage: SqliteStorage,
    everything: list[Task],
    order: str,
    text: str,
    place: Callable[[Task], tuple[int, int]],
    descending: bool,
) -> None:
    found = {task.id for page in pages(storage, 500, filter=parse(text)) for task in page.tasks}
    wanted = sorted((task for task in everything if task.id in found), key=place, reverse=descending)
    assert len(wanted) >= 20
    for backwards in (False, True):
        walked = [
            page.tasks
            for page in pages(storage, 10, filter=parse(text), order=order, descending=descending, backwards=backwards)
        ]
        if backwards:
            walked.reverse()
        assert [task.id for page in walked for task in page] == [task.id for task in wanted]


@pytest.mark.parametrize(
    ("order", "text", "says"),
    [
        ("lane", "", "add state:queued"),
        ("lane", "state:queued,completed", "add state:queued"),
        ("ended", "state:assigned", "add state:completed"),
    ],
)
def test_an_order_that_no_index_has_says_what_to_add(storage: SqliteStorage, order: str, text: str, says: str) -> None:
    with pytest.raises(DoesNotFit, match=says):
        storage.search.find(FindTasks(parse(text), order), NOON_MS)  # type: ignore[arg-type]


@pytest.mark.parametrize("cursor", ["x", "1.2", "99999999999999999999", "-", "1e5", ""])
def test_a_cursor_that_is_none_of_ours_is_refused(storage: SqliteStorage, cursor: str) -> None:
    with pytest.raises(DoesNotFit):
        storage.search.find(FindTasks(cursor=cursor), NOON_MS)


def test_a_jump_lands_at_the_part_and_at_the_time_that_was_asked_for(
    storage: SqliteStorage, everything: list[Task]
) -> None:
    for part in (0.0, 0.25, 0.5, 0.99):
        [first, *_] = storage.search.find(FindTasks(seek=part), NOON_MS).tasks
        assert abs(everything.index(first) - part * len(everything)) <= 2
    at = NOON_MS - 100_500
    assert storage.search.find(FindTasks(at=at), NOON_MS).tasks[0].created_at == NOON_MS - 101_000
    assert storage.search.find(FindTasks(at=at, descending=False), NOON_MS).tasks[0].created_at == NOON_MS - 100_000


def test_a_page_is_walked_back_from_where_a_jump_landed(storage: SqliteStorage, everything: list[Task]) -> None:
    landed = storage.search.find(FindTasks(seek=0.5, limit=10), NOON_MS)
    before = storage.search.find(FindTasks(cursor=landed.previous, backwards=True, limit=10), NOON_MS)
    at = everything.index(landed.tasks[0])
    assert list(before.tasks) == everything[at - 10 : at]


def test_suggestions_are_the_most_frequent_first(storage: SqliteStorage) -> None:
    found = storage.search.suggest("agent", "agent-1", 50)
    assert all(one.value.startswith("agent-1") and one.count > 0 for one in found) and len(found) > 5
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    assert storage.search.suggest("needs", "nobody", 5)[0].count == MIX.tasks
    assert storage.search.suggest("agent", "%", 5) == ()
    assert storage.search.suggest("group", "", 5)[0].says


def test_an_index_answers_every_walk(storage: SqliteStorage) -> None:
    """Whatever the filter, no statement sorts or scans a whole table."""
    statements: list[str] = []
    storage._connection.db.set_trace_callback(statements.append)
    try:
        for text, _ in FILTERS:
            storage.search.find(FindTasks(parse(text)), NOON_MS)
        for order, text in (("lane", "state:queued"), ("ended", "state:completed")):
            storage.search.find(FindTasks(parse(text), order), NOON_MS)  # type: ignore[arg-type]
    finally:
        storage._connection.db.set_trace_callback(None)
    for statement in statements:
        plan = [row[3] for row in storage._run(f"EXPLAIN QUERY PLAN {statement}")]
        assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)
