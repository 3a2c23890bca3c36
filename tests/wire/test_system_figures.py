"""``GET /api/system/figures``: what the hub says of its storage, its link and the sockets of its processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.harness.hub import Hub
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

Connect = Callable[..., Socket]


def figures(hub: Hub) -> dict[str, Any]:
    answer = hub.get("/api/system/figures", token=None)
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def test_storage_tells_its_sizes_its_schema_and_the_last_commit(hub: Hub) -> None:
    hub.submit("to be written", assign_to="nobody")
    before = figures(hub)["storage"]
    assert before["path"].endswith("hub.db") and before["schema"] >= 9
    assert before["database_bytes"] > 0 and before["wal_bytes"] >= 0
    assert 0 < before["disk_free"] < before["disk_size"]
    hub.submit("one more", assign_to="nobody")
    after = figures(hub)["storage"]
    assert after["commits"] > before["commits"]
    last = after["last_commit"]
    assert last["at"] >= before["last_commit"]["at"] > 1_600_000_000_000
    assert last["messages"] >= 1 and last["took_us"] > 0


def test_reading_writes_nothing(hub: Hub) -> None:
    def commits() -> int:
        return int(figures(hub)["storage"]["commits"])

    # The observers write their buckets every ten seconds; between two of them nobody does.
    wait_for(lambda: commits() == commits() == commits(), 15, "three looks without a commit")


def test_each_process_tells_what_went_over_its_link_and_which_sockets_it_has(hub: Hub, connect: Connect) -> None:
    before = {one["id"]: one for one in figures(hub)["processes"]}
    assert {"web-0", "web-1"} <= set(before)
    assert all(one["pid"] > 0 and one["connected_at"] > 1_600_000_000_000 for one in before.values())
    agent = connect("counted")
    page = Socket(f"{hub.ws_url}/ws/dashboard", {"Origin": hub.url})
    page.hear_type("snapshot")

    def sums(name: str) -> int:
        return sum(one["sockets"][name] for one in figures(hub)["processes"] if one["sockets"] is not None)

    def after() -> dict[str, Any]:
        return {one["id"]: one for one in figures(hub)["processes"]}

    wait_for(lambda: sums("agents") >= 1 and sums("dashboards") >= 1, 10, "both sockets in the figures")
    wait_for(lambda: sum(one["agents"] for one in after().values()) >= 1, 10, "the agent among what the hub knows")
    now = after()
    for side in ("from_it", "to_it"):
        for what in ("messages", "bytes"):
            assert sum(now[id_][side][what] for id_ in before) > sum(before[id_][side][what] for id_ in before)
    assert all(one["to_it"]["unsent_bytes"] >= 0 for one in now.values())
    agents, dashboards = sums("agents"), sums("dashboards")
    agent.close()
    page.close()
    # Connections of other tests may be on their way out too.
    wait_for(lambda: sums("agents") < agents and sums("dashboards") < dashboards, 10, "none of the two any more")
