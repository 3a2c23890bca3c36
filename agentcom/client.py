"""The hub's HTTP interface for the command line and scripts: one blocking request at a time, standard library only.

Proxies of the environment are ignored (a token must not travel through one by accident) and redirects are not followed (nor to
another host). Whatever goes wrong is a ``HubError``, which knows its exit status.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, TypeAlias

from agentcom import __version__
from agentcom.failures import ExitStatus, Failure

#: What a JSON answer is after parsing; callers know its shape from the route.
Json: TypeAlias = Any

TIMEOUT_S = 30.0
#: From this the hub's audit log knows that somebody used the command line.
USER_AGENT = f"agentcom-cli/{__version__}"
#: An answer larger than this is not one of ours.
ANSWER_BYTES = 64 * 1024 * 1024

_EXIT_STATUS = {
    400: ExitStatus.USAGE,
    401: ExitStatus.NOT_ALLOWED,
    403: ExitStatus.NOT_ALLOWED,
    404: ExitStatus.NOT_FOUND,
    409: ExitStatus.CONFLICT,
    413: ExitStatus.USAGE,
    415: ExitStatus.USAGE,
    421: ExitStatus.USAGE,
    422: ExitStatus.USAGE,
    429: ExitStatus.UNREACHABLE,
    503: ExitStatus.UNREACHABLE,
    507: ExitStatus.UNREACHABLE,
}


class HubError(Failure):
    """The hub refused. ``status`` is the HTTP status, ``code`` the hub's own word for it."""

    def __init__(self, status: int, code: str, detail: str, hint: str) -> None:
        fallback = ExitStatus.UNREACHABLE if status >= 500 else ExitStatus.FAILED
        super().__init__(detail, hint, _EXIT_STATUS.get(status, fallback), code)
        self.status = status


class HubUnreachable(HubError):
    """Nobody answered, or the connection broke before the answer was complete."""

    def __init__(self, url: str, reason: str) -> None:
        hint = "Start one:    agentcom up\nName another: --hub URL or AGENTCOM_HUB"
        super().__init__(503, "hub_unreachable", f"no hub answers at {url} ({reason})", hint)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class HubClient:
    """Requests to the hub at ``url`` with ``token`` (None: without one); both may be read."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())

    def get(self, path: str, query: Mapping[str, str | int | None] | None = None) -> Json:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._request("GET", path + ("?" + urllib.parse.urlencode(given) if given else ""))

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Json:
        return self._request("POST", path, json.dumps(body).encode(), headers)

    def delete(self, path: str) -> Json:
        return self._request("DELETE", path)

    def wait_until_healthy(self, timeout_s: float) -> bool:
        """Ask ``GET /health`` until it answers; False when ``timeout_s`` passed first."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self.get("/health")
            except HubError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.1)
            else:
                return True

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Json:
        try:
            request = urllib.request.Request(self.url + path, body, dict(headers or {}), method=method)  # noqa: S310
        except ValueError as error:
            raise HubError(400, "invalid_url", f"{self.url} is not an address", "Write http://host:port") from error
        if request.type not in ("http", "https"):
            raise HubError(400, "invalid_url", f"{self.url} is not an http address", "Write http://host:port")
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", USER_AGENT)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return _parse(answer.read(ANSWER_BYTES), self.url)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except urllib.error.URLError as error:
            raise HubUnreachable(self.url, str(error.reason)) from None
        except (OSError, http.client.HTTPException) as error:
            raise HubUnreachable(self.url, str(error) or type(error).__name__) from None


def quoted(part: str) -> str:
    """One segment of a path, whatever it contains."""
    return urllib.parse.quote(part, safe="")


def _parse(raw: bytes, url: str) -> Json:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise HubError(502, "not_a_hub", f"{url} answers, but not like a hub", "Check the address.") from None


def _refusal(error: urllib.error.HTTPError) -> HubError:
    try:
        body = json.loads(error.read(1024 * 1024))
    except (ValueError, OSError, http.client.HTTPException):
        body = None
    if not isinstance(body, dict):
        return HubError(error.code, f"http_{error.code}", f"the hub answered {error.code} {error.reason}", "")
    code = str(body.get("error", f"http_{error.code}"))
    detail = str(body.get("detail") or code.replace("_", " "))
    fields = body.get("errors")
    if isinstance(fields, list):
        named = [f"{each.get('field')}: {each.get('detail')}" for each in fields if isinstance(each, dict)]
        detail = "; ".join([detail, *named])
    return HubError(error.code, code, f"{detail} ({error.code} {code})", str(body.get("hint") or ""))
