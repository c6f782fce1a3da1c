"""Who may ask, and what a browser may do with the answer. In front of every page.

- The ``Host`` is an address, ``localhost`` or a name that was given: a page of a stranger's name
  that leads here (DNS rebinding) gets nothing.
- What another site has a browser ask for is refused, unless somebody followed a link to a page.
- With a token, everything but the form that asks for it needs the cookie that it gives.
- A form carries a signature of the visitor's own cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from clew.stories.web.site import LOOPBACK

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from clew.stories.web.site import Site

#: No script or style but the two files; and a script cannot turn text into markup.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
INGEST, LOGIN, STATIC = "/ingest", "/login", "/static/"
_SAFE = ("GET", "HEAD")
_SITE_COOKIE, _VISITOR_COOKIE = "clew_site", "clew_visitor"
#: Pages that do something when they are looked at, so that no link of another site leads there.
_DOES = ("/dead-letters/",)


class Guard:
    """Middleware around all pages of a site."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        visitor = request.cookies.get(_VISITOR_COOKIE, "")
        fresh = not _is_token(visitor)
        if fresh:
            visitor = secrets.token_urlsafe(24)
        scope.setdefault("state", {})
        scope["state"]["visitor"] = visitor

        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
                if fresh and headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", _cookie(_VISITOR_COOKIE, visitor))
            await send(message)

        refused = self._refused(request)
        try:
            await (refused or self._app)(scope, receive, guarded)
        except Exception:
            # Starlette answers a bug with a page, and raises it again: it has been told.
            if not started:
                raise

    def _refused(self, request: Request) -> Response | None:
        site, path = self._site, request.url.path
        if not is_known_host(request.headers.get("host", ""), site):
            return PlainTextResponse(
                "This name is not one of the page's; open it by its address, or start clew ui "
                "with --name.\n",
                421,
            )
        if path == INGEST:
            return None  # which asks for the token itself, and takes no cookie
        if not _is_from_here(request.headers, path, request.method):
            return PlainTextResponse("Another site has asked for this; it gets nothing.\n", 403)
        if not site.token or path == LOGIN or path.startswith(STATIC) or is_let_in(request, site):
            return None
        if request.method in _SAFE and "text/html" in request.headers.get("accept", ""):
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{LOGIN}?next={quote(wanted, safe='')}", 303)
        return PlainTextResponse("This needs the token; open /login.\n", 401)


def is_known_host(given: str, site: Site) -> bool:
    """Whether a ``Host`` may be asked: names can be made to lead here, addresses cannot."""
    name = given.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") <= 1:
        name = name.partition(":")[0]
    if name in LOOPBACK or name in site.names:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or site.host not in LOOPBACK


def _is_from_here(headers: Headers, path: str, method: str) -> bool:
    """Whether no other site is behind a request, as far as the browser says."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return False
    site = headers.get("sec-fetch-site", "none")
    if site in ("none", "same-origin"):
        return True
    followed = headers.get("sec-fetch-mode") == "navigate" and method in _SAFE
    return followed and headers.get("sec-fetch-dest") == "document" and not path.startswith(_DOES)


def is_token(given: str, site: Site) -> bool:
    """Whether it is the token of the site; takes as long for any that is not."""
    return bool(site.token) and hmac.compare_digest(
        hashlib.sha256(given.encode("utf-8", "replace")).digest(),
        hashlib.sha256(site.token.encode()).digest(),
    )


def bearer(headers: Headers) -> str:
    """The token of an ``Authorization`` header, or ""."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def is_let_in(request: Request, site: Site) -> bool:
    """Whether a request has the cookie that the token gives, or the token itself."""
    given = request.cookies.get(_SITE_COOKIE, "")
    return hmac.compare_digest(given.encode(), _pass(site).encode()) or is_token(
        bearer(request.headers), site
    )


def let_in(response: Response, site: Site) -> None:
    """Give the cookie."""
    response.headers.append("set-cookie", _cookie(_SITE_COOKIE, _pass(site)))


def form_token(request: Request, site: Site) -> str:
    """What a form of this visitor carries."""
    visitor: str = request.state.visitor
    return hmac.new(site.secret, b"form\0" + visitor.encode(), hashlib.sha256).hexdigest()


def is_own_form(request: Request, given: object, site: Site) -> bool:
    """Whether a form was made for this visitor."""
    wanted = form_token(request, site)
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())


def _pass(site: Site) -> str:
    return hmac.new(site.secret, b"pass\0" + site.token.encode(), hashlib.sha256).hexdigest()


def _cookie(name: str, value: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict"


def _is_token(value: str) -> bool:
    return (
        len(value) == 32 and value.replace("-", "").replace("_", "").isalnum() and value.isascii()
    )
