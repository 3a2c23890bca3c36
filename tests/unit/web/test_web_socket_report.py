"""What a web process tells the hub of its sockets: only what is new, and anew to a hub that came back."""

from __future__ import annotations

from link.messages import Sockets
from web.socket_report import SocketReport


class Link:
    def __init__(self) -> None:
        self.is_up = True
        self.sent: list[Sockets] = []

    def send(self, message: Sockets) -> None:
        self.sent.append(message)


def make() -> tuple[SocketReport, Link]:
    link = Link()
    return SocketReport(link), link  # type: ignore[arg-type]


def test_what_did_not_change_is_not_said_again() -> None:
    report, link = make()
    for second in range(5):
        report.report(float(second), 0, Sockets(agents=2))
    report.report(5.0, 0, Sockets(agents=3))
    assert [one.agents for one in link.sent] == [2, 3]


def test_the_pace_is_that_since_the_last_look() -> None:
    report, link = make()
    for second, frames in enumerate((0, 10, 30, 30)):
        report.report(float(second) * 2, frames, Sockets())
    assert [one.frames_per_s for one in link.sent] == [0, 5, 10, 0]


def test_a_hub_that_came_back_is_told_anew() -> None:
    report, link = make()
    report.report(0.0, 0, Sockets(dashboards=1))
    link.is_up = False
    report.report(1.0, 0, Sockets(dashboards=2))
    link.is_up = True
    report.hub_is_back()
    report.report(2.0, 0, Sockets(dashboards=2))
    report.report(3.0, 0, Sockets(dashboards=2))
    assert [one.dashboards for one in link.sent] == [1, 2]
