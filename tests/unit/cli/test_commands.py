"""The commands against a scripted hub: what they send, what they print, and their exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.scripted_hub import Call, ScriptedHub

TASK = {
    "id": "task-1",
    "description": "Tidy\x1b[2J up",
    "status": "completed",
    "priority": 1,
    "assigned_to": "a",
    "retry_count": 0,
    "max_retries": 3,
    "created_at": 1,
    "result": {"ok": True},
    "history": [{"event": "queued", "timestamp": 1, "details": "submitted"}],
}


def test_submitting_sends_the_task_with_the_token_and_prints_its_id(call: Call, hub: ScriptedHub) -> None:
    hub.routes["POST", "/api/tasks"] = (201, {"status": "queued", "task_id": "task-1", "priority": 0, "created_at": 1})
    done = call("task", "submit", "Tidy up", "--lane", "urgent", "--needs", "gpu", "--run", "make", "--key", "k1")
    assert (done.status, done.out) == (0, "task-1\n")
    [request] = hub.seen
    assert request["headers"]["authorization"] == "Bearer hub_admin_secret"
    assert request["headers"]["idempotency-key"] == "k1"
    assert request["body"]["priority"] == "urgent" and request["body"]["needed_capabilities"] == ["gpu"]
    assert request["body"]["metadata"] == {"run": "make"}


def test_away_from_a_terminal_tables_are_tab_separated_and_cannot_steer_one(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/tasks"] = (200, {"tasks": [TASK], "count": 1, "next_cursor": "c2"})
    done = call("task", "list", "--status", "completed")
    header, row = done.out.splitlines()
    assert header.split("\t")[:3] == ["ID", "STATE", "LANE"]
    assert row.split("\t")[:3] == ["task-1", "completed", "high"]
    assert "\x1b" not in done.out and "--cursor c2" in done.err
    assert hub.seen[0]["path"] == "/api/tasks?status=completed&limit=50"


def test_json_prints_the_answer_of_the_api(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/tasks"] = (200, {"tasks": [TASK], "count": 1, "next_cursor": None})
    done = call("task", "list", "--json")
    assert done.json["tasks"] == [TASK] and done.err == ""


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        *((400, "invalid_json", 2), (401, "unauthorized", 4), (403, "forbidden", 4), (404, "task_not_found", 3)),
        *(
            (409, "invalid_state", 5),
            (422, "validation_failed", 2),
            (429, "queue_full", 6),
            (503, "hub_unavailable", 6),
        ),
        *((500, "internal", 6), (418, "teapot", 1)),
    ],
)
def test_refusals_become_exit_statuses(call: Call, hub: ScriptedHub, status: int, code: str, expected: int) -> None:
    hub.routes["GET", "/api/tasks/task-1"] = (status, {"error": code, "detail": "Because.", "hint": "Do this."})
    done = call("task", "show", "task-1")
    assert done.status == expected and done.out == ""
    assert done.err.startswith("error: Because.") and "Do this." in done.err
    as_json = call("task", "show", "task-1", "--json")
    problem = json.loads(as_json.err)
    assert set(problem) == {"code", "detail", "hint", "retryable"}
    assert (problem["code"], problem["retryable"]) == (code, expected == 6)


def test_validation_errors_name_their_fields(call: Call, hub: ScriptedHub) -> None:
    errors = [{"field": "max_retries", "error": "range", "detail": "at most 100"}]
    hub.routes["POST", "/api/tasks"] = (422, {"error": "validation_failed", "detail": "No.", "errors": errors})
    assert "max_retries: at most 100" in call("task", "submit", "x").err


def test_without_a_hub_the_error_says_how_to_start_one(bare_call: Call) -> None:
    done = bare_call("status", "--hub", "http://127.0.0.1:1")
    assert done.status == 6 and "agentcom up" in done.err and "Traceback" not in done.err


def test_what_is_not_a_hub_is_said_so(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/agents"] = (200, b"<html>")
    done = call("agent", "list")
    assert done.status == 6 and "not like a hub" in done.err


def test_a_redirect_is_not_followed_with_the_token(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/agents"] = (302, {})
    assert call("agent", "list").status == 1
    assert [request["path"] for request in hub.seen] == ["/api/agents"]


def test_proxies_of_the_environment_are_ignored(call: Call, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    hub.routes["GET", "/api/agents"] = (200, {"agents": []})
    assert call("agent", "list").status == 0


def test_waiting_ends_with_1_when_a_task_died(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/tasks/task-1"] = [(200, TASK | {"status": "assigned"}), (200, TASK)]
    assert call("task", "wait", "task-1").status == 0
    hub.routes["GET", "/api/tasks/task-2"] = (200, TASK | {"id": "task-2", "status": "dead_letter", "last_error": "no"})
    done = call("task", "wait", "task-1", "task-2")
    assert done.status == 1 and "dead_letter" in done.out


def test_waiting_too_long_ends_with_7(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/tasks/task-1"] = (200, TASK | {"status": "queued"})
    done = call("task", "wait", "task-1", "--timeout", "50ms")
    assert done.status == 7 and "agentcom task wait task-1" in done.err


def test_cancelling_many_is_partly_done_when_one_is_refused(call: Call, hub: ScriptedHub) -> None:
    hub.routes["POST", "/api/tasks/a/cancel"] = (200, {"status": "cancelled", "task_id": "a"})
    hub.routes["POST", "/api/tasks/b/cancel"] = (409, {"error": "invalid_state", "detail": "completed"})
    done = call("task", "cancel", "a", "b")
    assert done.status == 8
    assert done.out.splitlines()[0] == "a\tcancelled" and "error" in done.out.splitlines()[1]
    assert call("task", "cancel", "b").status == 5


def test_a_task_id_cannot_leave_its_path(call: Call, hub: ScriptedHub) -> None:
    call("task", "show", "../../admin/tokens?x=1")
    assert hub.seen[0]["path"] == "/api/tasks/..%2F..%2Fadmin%2Ftokens%3Fx%3D1"


def test_dead_retry_all_reads_every_page_first(call: Call, hub: ScriptedHub) -> None:
    pages = [(200, {"tasks": [{"id": "a"}], "next_cursor": "2"}), (200, {"tasks": [{"id": "b"}], "next_cursor": None})]
    hub.routes["GET", "/api/tasks/dead-letter"] = pages
    for one in "ab":
        hub.routes["POST", f"/api/tasks/{one}/retry"] = (200, {"status": "requeued", "task_id": one, "priority": 2})
    done = call("dead", "retry", "--all")
    assert done.out == "a\trequeued\nb\trequeued\n"
    assert [request["method"] for request in hub.seen] == ["GET", "GET", "POST", "POST"]


def test_dead_retry_all_without_dead_tasks_is_9(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/api/tasks/dead-letter"] = (200, {"tasks": [], "next_cursor": None})
    assert call("dead", "retry", "--all").status == 9
    assert call("dead", "retry").status == 2


def test_submitting_a_file_tells_the_refused_lines(call: Call, hub: ScriptedHub) -> None:
    Path("tasks.ndjson").write_text('{"description":"a"}\n\n{"description":""}\n')
    results = [{"task_id": "task-1"}, {"error": "validation_failed", "detail": "empty"}]
    hub.routes["POST", "/api/tasks/bulk"] = (201, {"results": results})
    done = call("task", "submit", "--file", "tasks.ndjson")
    assert done.status == 8 and done.out.splitlines()[0] == "task-1"
    assert hub.seen[0]["body"]["tasks"] == [{"description": "a"}, {"description": ""}]


def test_a_made_token_stands_alone_on_stdout(call: Call, hub: ScriptedHub) -> None:
    hub.routes["POST", "/admin/tokens"] = (201, {"agent_id": "b", "role": "agent", "token": "hub_agent_x"})
    done = call("token", "create", "b")
    assert done.out == "hub_agent_x\n" and "not shown again" in done.err
    assert hub.seen[0]["body"] == {"agent_id": "b", "role": "agent"}


def test_status_is_1_when_health_is_critical(call: Call, hub: ScriptedHub) -> None:
    snapshot = {
        "uptime_ms": 1000,
        "health": {"status": "critical", "details": [{"severity": "critical", "message": "Tasks are stuck"}]},
        "agents": [{"fsm_state": "idle"}],
        "queue": {"by_status": {"queued": 2}},
    }
    hub.routes["GET", "/api/dashboard/state"] = (200, snapshot)
    done = call("status")
    assert done.status == 1 and "Tasks are stuck" in done.out


def test_the_admin_token_of_the_data_directory_is_used_on_this_machine_only(tmp_path: Path) -> None:
    from agentcom.cli.session import find_token

    (tmp_path / "admin.token").write_text("hub_admin_x\n")
    (tmp_path / "admin.token").chmod(0o600)
    assert find_token("http://127.0.0.1:4000", None, tmp_path) == "hub_admin_x"
    assert find_token("http://[::1]:4000", None, tmp_path) == "hub_admin_x"
    assert find_token("http://hub.example:4000", None, tmp_path) is None
    assert find_token("http://127.0.0.1.evil.example", None, tmp_path) is None


def test_a_token_file_that_others_can_read_is_refused(bare_call: Call, tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("hub_admin_x\n")
    (tmp_path / "admin.token").chmod(0o644)
    done = bare_call("task", "list", "--data-dir", str(tmp_path))
    assert done.status == 4 and "chmod 600" in done.err


def test_the_hub_that_runs_on_the_data_directory_is_found(bare_call: Call, hub: ScriptedHub, tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_text(json.dumps({"url": hub.url}))
    hub.routes["GET", "/api/agents"] = (200, {"agents": []})
    assert bare_call("agent", "list", "--data-dir", str(tmp_path)).status == 0


def test_a_typing_mistake_is_answered_with_the_nearest_command(bare_call: Call) -> None:
    done = bare_call("taks", "list")
    assert done.status == 2 and "task" in done.err
    assert "submit" in bare_call("task", "submti", "x").err


def test_an_agent_without_a_token_is_told_how_to_get_one(bare_call: Call) -> None:
    done = bare_call("agent", "start", "--name", "b", "--hub", "http://127.0.0.1:1", "--", "true")
    assert done.status == 4 and "agentcom token create b" in done.err


def test_config_show_names_the_origin(bare_call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTCOM_PORT", "4100")
    lines = dict(line.split("\t", 1) for line in bare_call("config", "show", "--origin").out.splitlines())
    assert lines["port"] == "4100\tAGENTCOM_PORT" and lines["grace"] == "10.0\tdefault"


def test_doctor_finds_a_wrong_token(call: Call, hub: ScriptedHub) -> None:
    hub.routes["GET", "/health"] = (200, {"status": "ok", "service": "agent_com", "agents_connected": 0})
    hub.routes["GET", "/api/tasks/stats"] = (401, {"error": "unauthorized", "detail": "No.", "hint": "Make one."})
    done = call("doctor", "--json")
    levels = {each["name"]: each["level"] for each in done.json["findings"]}
    assert (levels["hub"], levels["token"], done.status) == ("ok", "error", 1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(bare_call: Call, shell: str) -> None:
    assert "_AGENTCOM_COMPLETE" in bare_call("completion", shell).out


def test_every_command_has_help(bare_call: Call) -> None:
    from agentcom.cli.main import COMMANDS

    for name in COMMANDS:
        assert bare_call(name, "--help").status == 0


@pytest.mark.parametrize("order", ["pause", "drain", "resume"])
def test_an_order_to_an_agent_says_what_it_is_now_and_what_it_still_has(
    call: Call, hub: ScriptedHub, order: str
) -> None:
    answer = {"agent_id": "b 1", "mode": "draining", "previous": "active", "tasks_held": 2}
    hub.routes["POST", f"/api/agents/b%201/{order}"] = (200, answer)
    done = call("agent", order, "b 1")
    assert (done.status, done.out) == (0, "b 1\tdraining\n")
    assert ("goes on with 2 tasks" in done.err) == (order != "resume")
    assert call("agent", order, "b 1", "--json").json == answer
    assert hub.seen[0]["headers"]["user-agent"].startswith("agentcom-cli/")


def test_a_rotated_token_is_printed_alone_and_the_old_one_named(call: Call, hub: ScriptedHub) -> None:
    hub.routes["POST", "/api/agents/b/rotate-token"] = (
        201,
        {"agent_id": "b", "token": "hub_agent_x", "old_tokens_ended": 0},
    )
    done = call("agent", "rotate-token", "b")
    assert done.out == "hub_agent_x\n" and "agentcom agent end-old-tokens b" in done.err
    assert hub.seen[0]["body"] == {"end_old": False}


def test_the_audit_log_is_a_table_with_who_how_and_what(call: Call, hub: ScriptedHub) -> None:
    entry = {
        "seq": 7,
        "at": 1,
        "actor": "ann",
        "role": "operator",
        "way": "cli",
        "action": "agent.drain",
        "target": "b",
        "outcome": "ok",
        "details": {"before": "active", "after": "draining"},
    }
    hub.routes["GET", "/api/dashboard/audit"] = (200, {"entries": [entry], "next_cursor": "0-7"})
    done = call("audit", "--action", "agent.", "--limit", "1")
    assert hub.seen[0]["path"] == "/api/dashboard/audit?action=agent.&limit=1"
    assert done.out.splitlines()[1].split("\t")[1:] == [
        *("ann (operator)", "cli", "agent.drain", "b", "ok", '{"before": "active", "after": "draining"}')
    ]
    assert "--cursor 0-7" in done.err


def test_joining_without_a_code_says_where_to_get_one(call: Call, hub: ScriptedHub, tmp_path: Path) -> None:
    refused = call("agent", "join", hub.url, "--state-dir", str(tmp_path / "s"), "--", "true")
    assert refused.status == 2 and "agentcom token enrol" in refused.err
    hub.routes["POST", "/api/onboard/register"] = (403, {"error": "invalid_code", "detail": "spent"})
    assert call("agent", "join", hub.url, "--code", "x", "--state-dir", str(tmp_path / "s"), "--", "true").status == 4
