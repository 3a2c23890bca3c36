"""A real ``agentcom serve`` in a process of its own, with what a test needs to talk to it and to break it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.harness.waiting import wait_for

#: A busy machine may need this long to start a handful of interpreters.
START_LIMIT_S = 60.0

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``json`` is None when the body is not JSON."""

    status: int
    json: Any
    headers: dict[str, str]
    body: bytes


class Hub:
    """``start`` returns when the hub serves. Use as a context manager: leaving it stops the hub and checks the exit."""

    command = "serve"
    start_limit_s = START_LIMIT_S

    def __init__(self, data_dir: Path, *flags: str, web_processes: int = 2) -> None:
        self.data_dir = data_dir
        self.ready_file = data_dir.parent / f"{data_dir.name}.ready.json"
        self.log_file = data_dir.parent / f"{data_dir.name}.log"
        self._flags = ("--web-processes", str(web_processes), *flags)
        self._port = "0"
        self.start_limit_s = START_LIMIT_S
        self.process: subprocess.Popen[bytes] | None = None

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> Hub:
        self.ready_file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "agentcom", self.command, "--port", self._port, "--data-dir", str(self.data_dir)]
        argv += ["--ready-file", str(self.ready_file), *self._flags]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
        environment["PYTHONPATH"] = str(REPOSITORY)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=self.data_dir.parent
            )
        self.wait_until_ready()
        self._port = self.url.rsplit(":", 1)[1]  # a restarted hub is found where it was
        return self

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"the hub ended with {self.process.returncode}:\n{self.log()[-4000:]}"
            return self.ready_file.exists()

        wait_for(ready, self.start_limit_s, "the hub's start")

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:  # ``__exit__`` is not called then, and a half-started hub would stay behind
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    # --- what it says about itself ----------------------------------------------------------------------------------

    def where(self) -> dict[str, Any]:
        """The ready file: url, pid, hub_pid, web_pids."""
        content: dict[str, Any] = json.loads(self.ready_file.read_text())
        return content

    @property
    def url(self) -> str:
        return str(self.where()["url"])

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://")

    @property
    def hub_pid(self) -> int:
        return int(self.where()["hub_pid"])

    @property
    def web_pids(self) -> list[int]:
        return [int(pid) for pid in self.where()["web_pids"]]

    @property
    def admin_token(self) -> str:
        return (self.data_dir / "admin.token").read_text().strip()

    # --- HTTP -----------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "admin",
        headers: dict[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> Answer:
        """One request. ``token`` "admin" is the admin's; ``body`` bytes are sent as they are, anything else as JSON."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {self.admin_token if token == 'admin' else token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)
        try:
            with _opener.open(request, timeout=timeout_s) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.headers, error.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, {} if body is None else body, **options)

    def insist(self, method: str, path: str, body: Any = None, timeout_s: float = 20.0) -> Answer:
        """As the hint of a 503 says: right after a restart one web process may serve already and another not yet."""
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self.request(method, path, body)
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
            time.sleep(0.05)

    def submit(self, description: str = "work", **fields: Any) -> str:
        """The id of a new task."""
        answer = self.insist("POST", "/api/tasks", {"description": description, **fields})
        assert answer.status == 201, (answer.status, answer.json)
        return str(answer.json["task_id"])

    def task(self, task_id: str) -> dict[str, Any]:
        answer = self.insist("GET", f"/api/tasks/{task_id}")
        assert answer.status == 200, (answer.status, answer.json)
        task: dict[str, Any] = answer.json
        return task

    def wait_for_status(self, task_id: str, status: str, timeout_s: float = 20.0) -> dict[str, Any]:
        wait_for(lambda: self.task(task_id)["status"] == status, timeout_s, f"{task_id} becoming {status}")
        return self.task(task_id)

    def all_tasks(self) -> list[dict[str, Any]]:
        """Every task in every status, page by page."""
        tasks: list[dict[str, Any]] = []
        for status in ("queued", "assigned", "completed", "dead_letter", "cancelled"):
            cursor = ""
            while True:
                answer = self.insist("GET", f"/api/tasks?status={status}&limit=500{cursor}")
                assert answer.status == 200, (answer.status, answer.json)
                tasks += answer.json["tasks"]
                if not answer.json.get("next_cursor"):
                    break
                cursor = f"&cursor={answer.json['next_cursor']}"
        return tasks

    def agent_token(self, agent_id: str) -> str:
        answer = self.insist("POST", "/admin/tokens", {"agent_id": agent_id})
        assert answer.status == 201, (answer.status, answer.json)
        return str(answer.json["token"])

    def snapshot(self) -> dict[str, Any]:
        answer = self.get("/api/dashboard/state", token=None)
        assert answer.status == 200, (answer.status, answer.json)
        snapshot: dict[str, Any] = answer.json
        return snapshot


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    try:
        parsed = json.loads(body) if body else None
    except ValueError:
        parsed = None
    return Answer(status, parsed, {key.lower(): value for key, value in headers.items()}, body)


def is_running(pid: int) -> bool:
    """Whether ``pid`` is a process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[-1][0] != "Z"
    except OSError:
        return False
