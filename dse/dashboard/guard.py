"""What keeps the dashboard to itself: who may ask, what may be asked, and what a page may load."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
# Dash starts from inline scripts and plotly compiles its WebGL figures; all else must come from the server itself.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def is_loopback(host: str) -> bool:
    """Whether only programs of this computer reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without the port."""
    name, colon, port = header.rpartition(":")
    return name if colon and port.isdecimal() else header


def guard(server: Any, host: str) -> None:
    """Refuse foreign host names and cross-site requests, and send the headers that keep a page from loading others.

    A page elsewhere could name 127.0.0.1 in its own domain (DNS rebinding); on loopback the name is checked for that.
    """
    from flask import Response, abort, request

    names: Iterable[str] = (*LOOPBACK_NAMES, host, f"[{host}]") if is_loopback(host) else ()

    def refuse() -> None:
        if names and host_name(request.host) not in names:
            abort(403, "unknown host name")
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method != "GET":
            abort(403, "requests of other sites are refused")

    def seal(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    server.before_request(refuse)
    server.after_request(seal)
