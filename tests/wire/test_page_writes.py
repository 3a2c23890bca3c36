"""A page that the hub gave to a browser on this machine writes without a token; nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.hub import Hub


def test_the_page_cancels_a_task_in_its_own_name(hub: Hub) -> None:
    task_id = hub.submit(needed_capabilities=["nobody-has-this"])
    answer = hub.post(f"/api/tasks/{task_id}/cancel", token=None, headers={"Origin": hub.url})
    assert answer.status == 200
    assert (task := hub.task(task_id))["status"] == "cancelled"
    assert "dashboard" in str(task["history"][0])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "{url}", "X-Forwarded-For": "192.0.2.7"}, 401),
        ({"Origin": "{url}", "Authorization": "Bearer nonsense"}, 401),
        ({"Origin": "{url}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_nobody_else_does(hub: Hub, headers: dict[str, str], status: int) -> None:
    task_id = hub.submit(needed_capabilities=["nobody-has-this"])
    sent = {name: value.format(url=hub.url) for name, value in headers.items()}
    assert hub.post(f"/api/tasks/{task_id}/cancel", token=None, headers=sent).status == status
    assert hub.task(task_id)["status"] == "queued"


def test_nothing_is_written_without_a_token_where_reading_needs_one(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", "--dashboard-auth", "token", web_processes=1) as closed:
        task_id = closed.submit(needed_capabilities=["nobody-has-this"])
        answer = closed.post(f"/api/tasks/{task_id}/cancel", token=None, headers={"Origin": closed.url})
        assert answer.status == 401
        assert closed.task(task_id)["status"] == "queued"
