"""The Tornado application and the server around it, with every setting that security.md §5 asks for."""

from __future__ import annotations

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config
from tornado.web import Application

from web.handlers.base import NotFound
from web.options import WebLimits
from web.request_log import RequestLog
from web.routes import routes
from web.services import Services
from web.static_files import StaticFiles
from wire import limits as wire_limits

#: Of a request whose handler does not raise it: sockets take no body.
SMALL_BODY_BYTES = 64 * 1024


def make_application(services: Services) -> Application:
    set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False)))
    return Application(
        routes(),
        default_handler_class=NotFound,
        services=services,
        static_files=StaticFiles(Path(services.options.static_dir)),
        log_function=RequestLog(services.clock),
        serve_traceback=False,
        autoreload=False,
        compiled_template_cache=True,
    )


def make_server(application: Application, limits: WebLimits) -> HTTPServer:
    return HTTPServer(
        application,
        max_header_size=wire_limits.HTTP_HEADER_BYTES,
        max_body_size=SMALL_BODY_BYTES,
        idle_connection_timeout=limits.header_timeout_s,
        body_timeout=limits.body_timeout_s,
        decompress_request=False,
        xheaders=False,
    )
