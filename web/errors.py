"""Answers that refuse, and their mapping to HTTP in one place (docs/protocol.md, "Errors").

Every body is ``{"error": code, "detail": sentence}``, with ``hint`` (what to do) and ``errors`` (fields) where they help.
None repeats what the caller sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tornado.web import HTTPError

from link.client import HubRefused, HubUnavailable
from wire import codec
from wire.codec import CodecError
from wire.errors import FieldError, Invalid

BEARER_HINT = "provide Authorization: Bearer <token>"


class ApiError(Exception):
    """``fields`` are further fields of the body, such as the id that a 404 is about."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.fields = fields or {}
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        content: dict[str, object] = {"error": self.code, "detail": self.detail}
        if self.hint is not None:
            content["hint"] = self.hint
        if self.errors:
            content["errors"] = [error.as_dict() for error in self.errors]
        return content | dict(self.fields)

    def encoded(self) -> bytes:
        return codec.encode(self.body())


def not_found() -> ApiError:
    return ApiError(404, "not_found", "there is no such route")


def task_not_found(task_id: str) -> ApiError:
    return ApiError(404, "task_not_found", "there is no such task", fields={"task_id": task_id})


def unauthorized(hint: str = BEARER_HINT) -> ApiError:
    headers = {"WWW-Authenticate": "Bearer"}
    return ApiError(401, "unauthorized", "this needs a valid token", hint, headers=headers)


def forbidden(detail: str = "the role of this token may not do this") -> ApiError:
    return ApiError(403, "forbidden", detail)


def invalid(errors: list[FieldError]) -> ApiError:
    return ApiError(422, "validation_failed", "fields break the rules named in errors", errors=errors)


def body_too_large(limit_bytes: int) -> ApiError:
    return ApiError(413, "body_too_large", f"the body must have at most {limit_bytes} bytes")


def hub_unavailable() -> ApiError:
    detail = "the hub is starting again or busy"
    return ApiError(503, "hub_unavailable", detail, "repeat the request", headers={"Retry-After": "1"})


_JSON_RULES = {
    "not_utf8": "is not UTF-8",
    "not_json": "is not valid JSON",
    "not_an_object": "is not a JSON object",
    "too_deep": "is nested too deeply",
    "too_many_keys": "has an object with too many keys",
    "too_many_values": "has too many values",
    "number_out_of_range": "has a number that not every reader of JSON can hold",
    "lone_surrogate": "has half of a surrogate pair",
    "duplicate_key": "has a key twice",
    "too_large": "is too large",
}


def json_detail(error: CodecError) -> str:
    return f"the JSON text {_JSON_RULES.get(error.rule, 'is not acceptable')}"


#: What the sender did wrong, and would do wrong again: malformed, too large, of the wrong type, against the rules.
INVALID_INPUT = frozenset({400, 413, 415, 422})

_REFUSALS = {
    "not_found": (404, "not_found"),
    "queue_full": (429, "queue_full"),
    "idempotency_conflict": (409, "idempotency_conflict"),
    "invalid_state": (409, "invalid_state"),
    "already_exists": (409, "already_exists"),
    "stale_generation": (409, "stale_generation"),
    "overloaded": (503, "overloaded"),
    "no_space": (507, "no_space"),
}

#: Seconds after which it is worth to ask again: what these wait for changes with the work that is being done.
_RETRY_AFTER_S = {"queue_full": 5, "overloaded": 2, "no_space": 30}


def from_exception(error: BaseException | None) -> ApiError | None:
    """The answer for an expected exception; None for one that is a fault of this program."""
    match error:
        case ApiError():
            return error
        case Invalid():
            return invalid(error.errors)
        case CodecError():
            return ApiError(400, "invalid_json", json_detail(error))
        case HubUnavailable():
            return hub_unavailable()
        case HubRefused() if error.code in _REFUSALS:
            status, code = _REFUSALS[error.code]
            wait_s = _RETRY_AFTER_S.get(error.code)
            headers = {"Retry-After": str(wait_s)} if wait_s is not None else None
            return ApiError(status, code, error.detail or "the hub refused this", headers=headers)
        case HTTPError() if error.status_code in (404, 405):
            return not_found()
        case HTTPError() if 400 <= error.status_code < 500:
            return ApiError(error.status_code, "bad_request", "the request is malformed")
        case _:
            return None


def internal() -> ApiError:
    return ApiError(500, "internal_error", "the hub made a mistake; its log says more")
