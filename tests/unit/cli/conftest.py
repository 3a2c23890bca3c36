"""A scripted hub on a real socket, and a way to call the command line as a user does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentcom.cli.main import main
from tests.unit.cli.scripted_hub import Call, Result, ScriptedHub


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    scripted = ScriptedHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            scripted.seen.append({"method": self.command, "path": self.path, "body": body, "headers": headers})
            status, answer = scripted.answer(self.command, self.path)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("AGENTCOM_HUB", "AGENTCOM_TOKEN", "AGENTCOM_TOKEN_FILE", "AGENTCOM_DATA_DIR", "AGENTCOM_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bare_call(capsys: pytest.CaptureFixture[str]) -> Call:
    """``bare_call("task", "list")``: exit status, stdout and stderr of ``agentcom task list``."""

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def call(bare_call: Call, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> Call:
    """As ``bare_call``, against the scripted hub."""
    monkeypatch.setenv("AGENTCOM_HUB", hub.url)
    monkeypatch.setenv("AGENTCOM_TOKEN", "hub_admin_secret")
    return bare_call
