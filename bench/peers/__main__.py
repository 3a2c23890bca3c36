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

#: Name -> the commands of its workers.
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
    "procrastinate": [
        [
            *(PYTHON, "-m", "procrastinate", "--app=bench.peers.procrastinate_app.app", "worker"),
            *("--concurrency=8", "--delete-jobs=successful"),
        ]
    ]
    * 2,
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


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A cluster of its own, reached by a Unix socket only, with PostgreSQL's own durable settings."""
    binaries = _postgres_binaries()
    assert binaries is not None
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        folder.chmod(0o755)
        shutil.chown(folder, "postgres")
    data = folder / "postgres"
    initdb = [*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "bench", "--auth=trust"]
    subprocess.run(initdb, cwd="/", check=True, stdout=subprocess.DEVNULL)
    server = [*as_user, str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
    with running(server, os.environ):
        for _ in range(200):
            if (folder / ".s.PGSQL.5432").exists():
                break
            time.sleep(0.05)
        yield f"host={folder} user=bench dbname=postgres"


def _postgres_binaries() -> Path | None:
    """Debian keeps them out of the path, one folder for each version."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found is not None else versions[-1].parent if versions else None


@contextmanager
def nothing(_: Path) -> Iterator[str]:
    yield ""


#: Name -> what it needs beside itself, and the variable in which its app finds that.
SERVERS = {"huey": (nothing, "BENCH_NOTHING"), "procrastinate": (postgres, "BENCH_POSTGRES")}
REDIS = (redis, "BENCH_REDIS")


def run(name: str, count: int, folder: Path) -> float:
    server, variable = SERVERS.get(name, REDIS)
    with server(folder) as url:
        os.environ |= {"BENCH_FOLDER": str(folder), variable: url, "RQ_REDIS_URL": url, "PYTHONPATH": str(ROOT)}
        app = importlib.import_module(f"bench.peers.{name}_app")
        if hasattr(app, "prepare"):
            app.prepare()
        return _with_workers(list(WORKERS[name]), count, folder, app.enqueue)


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


def is_here(name: str) -> bool:
    if name == "procrastinate":
        return _postgres_binaries() is not None
    return name == "huey" or shutil.which("redis-server") is not None


def main() -> int:
    name, count = sys.argv[1], int(sys.argv[2])
    if not is_here(name):
        return 3
    with tempfile.TemporaryDirectory() as place:
        print(run(name, count, Path(place)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
