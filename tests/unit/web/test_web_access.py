"""Every route has its guard and its row in the access table, and the table says what it should."""

from __future__ import annotations

import re

import pytest
from tornado.web import RequestHandler

from web.access import ACCESS, access_of
from web.handlers.base import ApiHandler, Guard
from web.routes import HANDLERS, faults, methods_of, pattern_of, routes
from wire.roles import Role


def test_handlers_and_access_table_fit_together() -> None:
    assert faults(HANDLERS) == []
    assert len(routes()) == len(HANDLERS)


def test_every_handler_derives_from_the_guard() -> None:
    assert all(issubclass(handler, Guard) for handler in HANDLERS)


class Unlisted(ApiHandler):
    route = "/api/secret"

    async def on_get(self) -> None: ...


class Unguarded(RequestHandler):
    pass


def test_a_handler_without_guard_or_row_fails_the_start() -> None:
    found = faults([*HANDLERS, Unlisted, Unguarded])
    assert found == ["Unguarded does not derive from Guard", "GET /api/secret has no row in web.access"]


def test_a_row_without_handler_fails_the_start() -> None:
    assert "POST /api/tasks has no handler" in faults(one for one in HANDLERS if one.route != "/api/tasks")


def test_each_path_is_served_by_one_handler_only() -> None:
    """The first match wins, so a route must not hide behind an earlier one."""
    for handler in HANDLERS:
        path = handler.route.replace(":id", "some-id").replace(":path*", "a/b.js")
        matching = [one for one in HANDLERS if re.fullmatch(pattern_of(one.route), path)]
        assert matching[0] is handler, handler.route


def test_every_row_gives_a_reason() -> None:
    assert all(len(access.reason) > 10 for access in ACCESS.values())


def test_what_is_not_listed_does_not_exist() -> None:
    assert access_of("PUT", "/api/tasks") is None
    assert access_of("GET", "") is None
    assert access_of("HEAD", "/health") is access_of("GET", "/health")
    assert access_of("HEAD", "/admin/tokens/:id") is None


WRITES = [(method, route) for method, route in ACCESS if method != "GET"]


@pytest.mark.parametrize(("method", "route"), WRITES)
def test_nothing_is_changed_without_a_token(method: str, route: str) -> None:
    """Registering is the exception: its code is the credential."""
    access = ACCESS[method, route]
    assert access.is_open == (route == "/api/onboard/register")
    assert not access.is_dashboard


#: The page may make and end tokens below admin (``tests/unit/web/test_web_notices.py``).
GIVES_RIGHTS_TO_THE_PAGE = {("POST", "/admin/tokens"), ("DELETE", "/admin/tokens/:id")}


def test_the_page_on_this_machine_does_what_operators_do_and_makes_tokens_below_admin() -> None:
    for (method, route), access in ACCESS.items():
        if access.is_for_page:
            assert method != "GET", route
            assert access.roles > {Role.ADMIN} or (method, route) in GIVES_RIGHTS_TO_THE_PAGE, route


ADMITTING = {"/api/agents/:id/rotate-token", "/api/agents/:id/end-old-tokens", "/api/onboard/codes"}


def test_operators_and_the_page_on_this_machine_admit_agents() -> None:
    """An agent's token is worth less than the right to submit, which the page has: it cannot make anybody else do anything."""
    for route in ADMITTING:
        access = ACCESS["POST", route]
        assert access.roles == {Role.OPERATOR, Role.ADMIN} and access.is_for_page and not access.own


@pytest.mark.parametrize(
    ("method", "route"),
    [row for row in ACCESS if row[1].startswith("/admin/tokens") or "reset" in row[1] or row[0] == "PUT"],
)
def test_rights_and_settings_are_the_admins(method: str, route: str) -> None:
    """Lesson 77: any token could mint or revoke anybody's."""
    assert ACCESS[method, route].roles == {Role.ADMIN} and not ACCESS[method, route].own


def test_agents_do_not_steer_others() -> None:
    orders = {route for method, route in ACCESS if method == "POST" and route.startswith("/api/agents/")}
    assert len(orders) >= 7
    for route in orders | {"/api/tasks/:id/cancel", "/api/tasks/:id/retry", "/api/admin/push-task"}:
        access = ACCESS["POST", route]
        assert Role.AGENT not in access.roles | access.own and Role.SUBMITTER not in access.roles


def test_methods_of_handlers() -> None:
    by_route = {handler.route: methods_of(handler) for handler in HANDLERS}
    assert by_route["/api/tasks"] == {"GET", "POST"} and by_route["/ws"] == {"GET"}
