"""The headers that every answer carries (security.md B1, B4)."""

from __future__ import annotations

from functools import lru_cache

#: ``trusted-types``: the one policy lets the page name its service worker, and nothing else (``js/store/service_worker.js``).
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'{sockets}; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types agentcom-service-worker"
)


@lru_cache(maxsize=64)
def content_security_policy(host: str | None) -> str:
    """``host``: the request's Host once it was found to be ours; older browsers do not count a socket as ``'self'``."""
    return _POLICY.format(sockets=f" ws://{host} wss://{host}" if host is not None else "")


SECURITY_HEADERS = {
    "Content-Security-Policy": content_security_policy(None),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Content-Type": "application/json; charset=utf-8",
}
