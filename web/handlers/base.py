"""What every request passes before its handler sees it: Host, then size and type, then token, then role, then schema.

A refusal is answered when the body has arrived, because closing a connection on which bytes are still coming loses the answer;
only a body beyond ``DRAIN_BYTES`` is not waited for.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, ClassVar, TypeVar, cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler, stream_request_body

from link.messages import CalledBy, IdentityEntry
from web import errors
from web.access import Access, access_of
from web.errors import ApiError
from web.headers import SECURITY_HEADERS, content_security_policy
from web.services import Services
from wire import codec, limits
from wire.codec import CodecError
from wire.parsing import Body, parse
from wire.roles import Role

logger = logging.getLogger("agentcom.web")

#: A refused body up to this size is read and thrown away, so that the client gets to read the answer.
DRAIN_BYTES = 4 * 1024 * 1024

JSON = "application/json"

#: The name of whoever sits before a page on this machine, where no token says it, and the role that is shown of them.
LOCAL_PAGE = "dashboard"
LOCAL_ROLE = "local"

#: How the command line names itself in ``User-Agent``, before a slash and its version.
CLI_AGENT = "agentcom-cli"

B = TypeVar("B", bound=Body)


class Guard(RequestHandler):
    """The checks. ``route`` is the key of ``web.access.ACCESS``; a handler without one answers 404."""

    route: ClassVar[str] = ""
    caller: IdentityEntry | None = None
    """Whose token came with the request; None when it needs none."""
    acts_as: CalledBy | None = None
    """Who it is, where neither a token nor a page says it."""
    is_page: bool = False
    """No token came, and none is needed: this is a page of ours on this machine."""
    only_own: bool = False
    """The role of the caller reaches only what it submitted itself."""

    @property
    def services(self) -> Services:
        return cast(Services, self.settings["services"])

    @property
    def http(self) -> HTTP1Connection:
        return cast(HTTP1Connection, self.request.connection)

    # --- checks, in order -----------------------------------------------------------------------------------------------

    def check_head(self) -> Access:
        """What can be said without knowing who asks. Raises ``ApiError``."""
        self._check_host()
        if "token" in self.request.query_arguments:
            hint = "send it as Authorization: Bearer <token>"
            raise ApiError(400, "token_in_url", "a token in an address ends in logs and histories", hint)
        access = access_of(self.request.method or "", self.route)
        if access is None:
            raise errors.not_found()
        return access

    def _check_host(self) -> None:
        host = self.request.headers.get("Host", "")
        if not self.services.hosts.allows(host, self._local_address):
            hint = "configure it as an allowed host if it is yours"
            raise ApiError(421, "misdirected_request", "this hub does not answer to that host name", hint)
        self.set_header("Content-Security-Policy", content_security_policy(host.lower()))

    def _local_address(self) -> str | None:
        try:
            return str(self.http.stream.socket.getsockname()[0])
        except (AttributeError, OSError):  # closed meanwhile
            return None

    def check_origin_headers(self) -> None:
        """For all that changes something, and for upgrades. Raises ``ApiError``."""
        headers = self.request.headers
        origin, fetch_site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
        if not self.services.origins.allows(origin=origin, fetch_site=fetch_site, host=headers.get("Host", "")):
            raise ApiError(403, "forbidden_origin", "a page of another origin may not do this")

    def bearer_token(self) -> str | None:
        """None without an ``Authorization`` header; empty for one that is not ``Bearer``."""
        header = self.request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    async def check_caller(self, access: Access) -> None:
        """Raises ``ApiError`` or ``HubUnavailable``."""
        options = self.services.options
        if access.is_open or (access.is_dashboard and options.dashboard_auth == "open"):
            return
        if access.is_for_page and self.bearer_token() is None and self.services.is_our_page(self.request):
            self.is_page = True
            return
        self.caller = await self.services.authenticator.authenticate(self.bearer_token() or "")
        if self.caller is None:
            raise errors.unauthorized()
        role = self.caller.role
        if role in access.roles:
            return
        if role not in access.own:
            raise errors.forbidden()
        self.only_own = True

    # --- answering --------------------------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def compute_etag(self) -> str | None:
        """Hashing every answer is a cost, and none of them but files is asked for twice."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        exception = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        self.refuse(errors.from_exception(exception) or errors.internal())

    def refuse(self, error: ApiError) -> None:
        if error.status in errors.INVALID_INPUT:
            self.services.rejected.add()
        self.set_status(error.status)
        for name, value in error.headers.items():
            self.set_header(name, value)
        self.finish(error.encoded())

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if errors.from_exception(value) is not None or isinstance(value, StreamClosedError):
            return
        logger.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))  # type: ignore[arg-type]


@stream_request_body
class ApiHandler(Guard):
    """A route of the API. Subclasses have ``on_get``, ``on_post``, …, which get the variable parts of the path."""

    body_limit: ClassVar[int] = limits.HTTP_BODY_BYTES
    content_types: ClassVar[frozenset[str]] = frozenset({JSON})

    def initialize(self) -> None:
        self._body = bytearray()
        self._received = 0
        self._refusal: Exception | None = None
        """Found before the body came; answered after it."""

    async def prepare(self) -> None:
        try:
            access = self.check_head()
            if self.request.method not in ("GET", "HEAD"):
                self.check_origin_headers()
            self._check_body_headers()
            await self.check_caller(access)
        except Exception as error:
            declared = self._declared_length()
            self.http.set_max_body_size(max(declared, DRAIN_BYTES))
            if declared > DRAIN_BYTES or errors.from_exception(error) is None:
                raise
            self._refusal = error
        else:
            self.http.set_max_body_size(max(self.body_limit, DRAIN_BYTES))

    def _declared_length(self) -> int:
        """Of the body; 0 when it is not said, or not a number (Tornado refuses that by itself)."""
        text = self.request.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0

    def _check_body_headers(self) -> None:
        declared = self._declared_length()
        if declared > self.body_limit:
            raise errors.body_too_large(self.body_limit)
        if declared > 0 and not self._has_good_type():
            raise self._wrong_type()

    @property
    def content_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def _has_good_type(self) -> bool:
        return self.content_type in self.content_types and "Content-Encoding" not in self.request.headers

    def _wrong_type(self) -> ApiError:
        wanted = " or ".join(sorted(self.content_types))
        return ApiError(415, "unsupported_media_type", f"the body must be {wanted}, not compressed")

    def data_received(self, chunk: bytes) -> None:
        if self._received == 0 and self._refusal is None and not self._has_good_type():
            self._refusal = self._wrong_type()  # a chunked body, of which only now is known that it is not empty
        self._received += len(chunk)
        if self._received > self.body_limit and self._refusal is None:
            self._refusal = errors.body_too_large(self.body_limit)
        if self._refusal is None:
            self._body += chunk
            return
        self._body.clear()
        if self._received > DRAIN_BYTES and not self._finished:
            self.refuse(errors.body_too_large(self.body_limit))

    async def _serve(self, *path: str) -> None:
        """The whole body is here."""
        if self._refusal is not None:
            raise self._refusal
        method = "get" if self.request.method == "HEAD" else (self.request.method or "").lower()
        services = self.services
        services.requests_under_way += 1
        try:
            await getattr(self, f"on_{method}")(*path)
        finally:
            services.requests_under_way -= 1

    get = head = post = put = delete = patch = options = _serve

    # --- for the handlers -------------------------------------------------------------------------------------------

    def body_as(self, kind: type[B], *, unique_keys: bool = False) -> B:
        """The JSON body as a struct. Raises ``CodecError`` or ``Invalid``.

        No body at all is an empty object, as it always was; an empty one that says it is JSON is not.
        """
        if not self._body and self.content_type != JSON:
            return parse(kind, {})
        return parse(kind, self.decode(bytes(self._body), unique_keys=unique_keys))

    @staticmethod
    def decode(raw: bytes, *, unique_keys: bool = False, max_values: int = limits.JSON_NODES) -> Any:
        return codec.decode(raw, max_bytes=len(raw), unique_keys=unique_keys, max_values=max_values)

    def query_as(self, kind: type[B]) -> B:
        """The query string as a struct of strings; of a repeated name the last counts, an empty one is absent."""
        given: dict[str, str] = {}
        for name, values in self.request.query_arguments.items():
            try:
                text = values[-1].decode("utf-8")
            except UnicodeDecodeError:
                raise CodecError("not_utf8") from None
            if text:
                given[name] = text
        return parse(kind, given)

    async def call(self, op: str, **args: Any) -> Any:
        """Ask the hub. Raises ``HubUnavailable`` or ``HubRefused``."""
        by = None if self.request.method == "GET" or op == "tasks.submit" else self.called_by
        return await self.services.link.call(op, self.services.limits.call_timeout_s, by, **args)

    @property
    def called_by(self) -> CalledBy:
        """Who asks and how, as far as it can be known: a program can say that it is anything."""
        if self.acts_as is not None:
            return self.acts_as
        role = self.caller.role if self.caller is not None else LOCAL_ROLE
        return CalledBy(self.caller_name or "unknown", role, self.way)

    @property
    def way(self) -> str:
        headers = self.request.headers
        if self.is_page or self.services.origins.is_ours(headers.get("Origin"), headers.get("Host", "")):
            return "page"
        return "cli" if headers.get("User-Agent", "").startswith(f"{CLI_AGENT}/") else "api"

    @property
    def caller_name(self) -> str | None:
        """Who did it, as far as the hub can know."""
        if self.is_page:
            return LOCAL_PAGE
        return self.caller.name if self.caller is not None else None

    @property
    def is_admin(self) -> bool:
        return self.caller is not None and self.caller.role == Role.ADMIN

    def answer(self, content: object, status: int = 200) -> None:
        self.set_status(status)
        self.finish(codec.encode(content))


class NotFound(ApiHandler):
    """Every path that is no route."""
