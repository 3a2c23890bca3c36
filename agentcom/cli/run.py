"""``agentcom run JOB.toml``: a job from start to end on this machine, with a hub and agents of its own."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from agentcom import __version__
from agentcom.cli.output import Output
from agentcom.client import HubClient, Json, quoted
from agentcom.failures import ExitStatus, Failure
from agentcom.job import Job, read_job
from agentcom.job_processes import JobProcesses
from agentcom.job_report import Report, markdown, outcome_of, summary_lines

POLL_S = 0.2
#: Without a terminal: one line so often, or whenever a tenth of the tasks has ended.
PLAIN_PERIOD_S = 10.0
AGENTS_LIMIT_S = 60.0

Tell = Callable[[str], None]
Show = Callable[[int, int], None]
"""Shows progress: (tasks that have ended, tasks that are worked on)."""


@click.command()
@click.argument("job_file", metavar="JOB.toml", type=click.Path(path_type=Path))
@click.option("--keep", is_flag=True, help="keep the data directory and the logs")
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="[default: ./JOB-report.md]")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def run(job_file: Path, keep: bool, report_file: Path | None, as_json: bool) -> int:
    """Run a job file with real agents, show it, report, and end.

    Exit status 0 when every task ended as the file expects, else 1.
    """
    job = read_job(job_file)
    out = Output(as_json=as_json)
    tell = _teller(out)
    with _ended_by_signals(), JobProcesses(keep=keep) as processes:
        report = _execute(job, processes, tell, keep=keep)
    target = report_file or Path(f"{job_file.stem}-report.md")
    try:
        target.write_text(markdown(job, report), encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"cannot write {target} ({error})", "Name another file with --report.", ExitStatus.FAILED
        ) from error
    if as_json:
        out.data(report.as_json())
    as_expected = sum(outcome.is_as_expected for outcome in report.outcomes)
    for line in ("", *summary_lines(report), ""):
        tell(line)
    tell(f"Done: {as_expected}/{len(report.outcomes)} as expected in {report.took_s:.1f} s. Report: {target}")
    tell("Next   agentcom up               keep a hub running, with agents")
    tell("       agentcom task submit …    give it work        agentcom --help")
    return ExitStatus.OK if report.is_as_expected else ExitStatus.FAILED


def _execute(job: Job, processes: JobProcesses, tell: Tell, *, keep: bool) -> Report:
    started = time.monotonic()
    hub = processes.start_hub()
    tell(f"agentcom {__version__} · hub ready in {time.monotonic() - started:.1f} s")
    tell(f"  Dashboard  {hub.url}/")
    tell(f"  Data       {processes.directory}  ({'kept' if keep else 'removed at the end; --keep to stay'})")
    processes.run_setup(job.setup)
    for agent in job.agents:
        processes.start_agent(agent)
    _wait_for_agents(hub, job, processes)
    tell("  Agents     " + "   ".join(f"{agent.name} ● ready" for agent in job.agents))
    tell(f"  {job.path.name} · {len(job.tasks)} tasks")
    task_ids = _submit(hub, job, str(processes.work_dir))
    with _progress(len(task_ids), tell) as show:
        _wait_for_tasks(hub, len(task_ids), processes, show)
    outcomes = tuple(
        outcome_of(wanted, hub.get(f"/api/tasks/{quoted(task_id)}"))
        for wanted, task_id in zip(job.tasks, task_ids, strict=True)
    )
    return Report(job.title, time.monotonic() - started, outcomes)


def _wait_for_agents(hub: HubClient, job: Job, processes: JobProcesses) -> None:
    wanted = {agent.name for agent in job.agents}
    deadline = time.monotonic() + AGENTS_LIMIT_S
    while missing := wanted - {str(each["agent_id"]) for each in hub.get("/api/agents")["agents"]}:
        processes.check()
        if time.monotonic() >= deadline:
            raise Failure(f"not connected in time: {', '.join(sorted(missing))}", "Look at the logs with --keep.", 1)
        time.sleep(0.05)


def _submit(hub: HubClient, job: Job, work_dir: str) -> list[str]:
    answer = hub.post("/api/tasks/bulk", {"tasks": [task.body(work_dir) for task in job.tasks]})
    results: list[dict[str, Json]] = answer["results"]
    for task, result in zip(job.tasks, results, strict=True):
        if "task_id" not in result:
            reason = f"{result.get('error')} {result.get('detail', '')}".strip()
            raise Failure(f"the hub refused {task.title!r} ({reason})", "Mend it in the job file.", ExitStatus.USAGE)
    return [str(result["task_id"]) for result in results]


def _wait_for_tasks(hub: HubClient, total: int, processes: JobProcesses, show: Show) -> None:
    """The hub is ours alone, so its counters are the job's."""
    while True:
        counts = hub.get("/api/tasks/stats").get("by_status", {})
        working = int(counts.get("assigned", 0))
        left = int(counts.get("queued", 0)) + working
        show(total - left, working)
        if left == 0:
            return
        processes.check()
        time.sleep(POLL_S)


def _teller(out: Output) -> Tell:
    """Lines for people: on stdout, or on stderr when stdout is for JSON."""

    def tell(text: str) -> None:
        click.echo(text, err=out.as_json)
        (sys.stderr if out.as_json else sys.stdout).flush()

    return tell


@contextmanager
def _progress(total: int, tell: Tell) -> Iterator[Show]:
    """A bar on a terminal (stderr), plain lines anywhere else."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            BarColumn(38),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[working]} working"),
        )
        with Progress(TextColumn(" "), *columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=total, working=0)
            yield lambda ended, working: progress.update(bar, completed=ended, working=working)
        return
    started = last = time.monotonic()
    told = 0

    def show(ended: int, working: int) -> None:
        nonlocal last, told
        now = time.monotonic()
        if ended * 10 // total > told * 10 // total or now - last >= PLAIN_PERIOD_S:
            last, told = now, ended
            tell(f"  {ended}/{total} ended, {working} working, {now - started:.0f} s")

    yield show


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the run as Ctrl-C does, with the status that shells expect (128 + signal)."""

    def end(signum: int, _: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    before = {signum: signal.signal(signum, end) for signum in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
