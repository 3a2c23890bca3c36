"""``agentcom tree``: as text, as data, and live, with what was started again standing out."""

from __future__ import annotations

import re
from typing import Any

from agentcom.cli.tree import lines
from tests.harness.terminal import Terminal
from tests.harness.waiting import wait_for
from tests.unit.cli.scripted_hub import Call, ScriptedHub

#: The branches and the name of a line.
_TO_THE_NAME = re.compile(r"^[│├└─ ]*\S+", re.MULTILINE)

REVERSE = "\x1b[7m"


def node(id_: str, *children: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": "actor",
        "state": "running",
        "restarts": 0,
        "last_exit": None,
        "children": list(children),
        **facts,
    }


def hub_tree(*children: dict[str, Any]) -> dict[str, Any]:
    """What the API answers: the hub's actors, and beside them the processes."""
    processes = node("root", node("hub", pid=11), node("web", node("web-0", pid=12)), pid=10)
    return node("hub_supervisor", *children, strategy="rest_for_one", processes=processes, alarms=[])


def test_as_text_the_actors_stand_under_the_hub_with_what_is_worth_saying(call: Call, hub: ScriptedHub) -> None:
    slow = node("queue", mailbox=12, oldest_s=3.0, handling="Submit", busy_s=4.0, uptime_s=90.0)
    ended = node("gateway", restarts=2, last_exit="killed(brutal)", last_exit_s=5.0)
    pausing = node("scheduler", state="restarting", retry_s=8.0)
    hub.routes["GET", "/api/system/tree"] = (200, hub_tree(slow, ended, pausing))
    drawn = call("tree").out.splitlines()
    assert _TO_THE_NAME.findall("\n".join(drawn)) == [
        "root",
        "├── hub",
        "│   └── hub_supervisor",
        "│       ├── queue",
        "│       ├── gateway",
        "│       └── scheduler",
        "└── web",
        "    └── web-0",
    ]
    assert "12 waiting, oldest 3.0s" in drawn[3] and "at Submit for 4.0s" in drawn[3]
    assert "restarted 2\u00d7 (last: killed(brutal), 5.0s ago)" in drawn[4]
    assert "restarting, started again in 8.0s" in drawn[5]


def test_as_json_it_is_the_answer_of_the_api(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/system/tree"] = (200, hub_tree(node("queue")))
    assert call("tree", "--json").json == hub_tree(node("queue"))


def test_nothing_in_the_tree_can_steer_the_terminal(call: Call, hub: ScriptedHub) -> None:
    bell = "a\x1b]0;title\x07"
    hostile = node(bell, handling=bell, busy_s=9.0, status=bell, stack=f"{bell}\n", last_exit=bell, restarts=1)
    alarm = {"id": bell, "subject": bell, "message": bell, "for_s": 9.0}
    hub.routes["GET", "/api/system/tree"] = (200, {**hub_tree(hostile), "alarms": [alarm]})
    assert not {"\x1b", "\x07"} & set(call("tree").out)


def test_stacks_are_asked_for_and_drawn_beside_their_actor(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/system/tree"] = (200, hub_tree(node("queue", stack="  File x\n    sleep()\n")))
    drawn = call("tree", "--stacks").out
    assert "sleep()" in drawn and hub.seen[0]["path"] == "/api/system/tree?stacks=1"


def test_alarms_stand_below_the_tree(call: Call, hub: ScriptedHub) -> None:
    alarm = {"id": "long_handler", "subject": "queue", "message": "at Submit for 9 s", "for_s": 9.0}
    hub.routes["GET", "/api/system/tree"] = (200, {**hub_tree(node("queue")), "alarms": [alarm]})
    assert call("tree").out.splitlines()[-1].startswith("! long_handler  queue: at Submit for 9 s")


def test_only_what_was_started_again_since_the_last_drawing_stands_out() -> None:
    seen: dict[str, int] = {}

    def marked(restarts: int) -> list[bool]:
        tree = hub_tree(node("queue", restarts=restarts), node("gateway", restarts=3))
        return [REVERSE in line for line in lines(tree, restarts=seen)]

    assert marked(1) == [False, False, False], "what happened before anybody looked is no news"
    assert marked(2) == [False, True, False]
    assert marked(2) == [False, False, False]


def test_live_it_is_drawn_again_and_a_restart_flashes(hub: ScriptedHub) -> None:
    first, second = hub_tree(node("queue", restarts=0)), hub_tree(node("queue", restarts=1))
    hub.routes["GET", "/api/system/tree"] = [(200, first), (200, second)]
    with Terminal("tree", "--watch", "--hub", hub.url) as terminal:
        wait_for(lambda: REVERSE in terminal.raw, 30, "a mark at what was started again")
        wait_for(lambda: "restarted 1\u00d7" in terminal.raw, 10, "how often")
