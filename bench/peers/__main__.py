"""``python -m bench.peers NAME COUNT``: tasks a second from the first enqueue to the last task done. Exit 3: not here."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.peers import done

PYTHON = sys.executable
ROOT = Path(__file__).parents[2]

#: Name -> the commands of its workers. All but huey need Redis.
WORKERS: Mapping[str, list[list[str]]] = {
    "huey": [
        [
            PYTHON,
            "-m",
            "huey.bin.huey_consumer",
            "bench.peers.huey_app.huey",
            "-k",
            "process",
            "-w",
            "2",
            "-d",
            "0.01",
            "-m",
            "0.05",
            "-q",
        ]
    ],
    "dramatiq": [[PYTHON, "-m", "dramatiq", "bench.peers.dramatiq_app", "-p", "2", "-t", "8"]],
    "celery": [[PYTHON, "-m", "celery", "-q", "-A", "bench.peers.celery_app", "worker", "-c", "2", "-l", "ERROR"]],
    "rq": [[PYTHON, "-m", "rq.cli", "worker", "-q", "-w", "rq.SimpleWorker"]] * 2,
}

LIMIT_S = 300
STARTED_S = 3.0


@contextmanager
def running(argv: list[str], env: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        argv, cwd=ROOT, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """With every write synced before it is answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    argv = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *durable]
    with running(argv, os.environ):
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"


def run(name: str, count: int, folder: Path, url: str) -> float:
    os.environ |= {"BENCH_FOLDER": str(folder), "BENCH_REDIS": url, "RQ_REDIS_URL": url, "PYTHONPATH": str(ROOT)}
    app = importlib.import_module(f"bench.peers.{name}_app")
    commands = list(WORKERS[name])
    if not commands:
        raise ValueError(name)
    return _with_workers(commands, count, folder, app.enqueue)


def _with_workers(commands: list[list[str]], count: int, folder: Path, enqueue: object) -> float:
    if commands:
        with running(commands[0], os.environ):
            return _with_workers(commands[1:], count, folder, enqueue)
    assert callable(enqueue)
    time.sleep(STARTED_S)  # workers have no common way to say that they are ready
    started = time.perf_counter()
    enqueue(count)
    while done.count(folder) < count:
        if time.perf_counter() - started > LIMIT_S:
            raise TimeoutError(f"{done.count(folder)} of {count}")
        time.sleep(0.005)
    return count / (time.perf_counter() - started)


def main() -> int:
    name, count = sys.argv[1], int(sys.argv[2])
    if name != "huey" and shutil.which("redis-server") is None:
        return 3
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if name == "huey":
            print(run(name, count, folder, ""))
        else:
            with redis(folder) as url:
                print(run(name, count, folder, url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
