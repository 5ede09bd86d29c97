"""Who may ask the explorer's server, and what a browser may do with its answers."""

import hmac
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaplab.explorer.problems import problem

COOKIE = "leaplab_token"
TOKEN = "token"
SAFE_METHODS = ("GET", "HEAD")
HEADERS = {
    # Pictures come as data addresses; nothing else comes from anywhere but this server, and nothing is built of text.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; media-src data:; font-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets a request through to the application where its host, origin and token are right.

    A foreign page reaches this machine by a name of its own (DNS rebinding) or by a form that it sends here: the first
    has another `Host`, the second another `Origin`. Where others than this machine can reach the server, the browser
    has to know a token, which comes with the first address and is a cookie from then on.

    Args:
        app: the application.
        hosts: names and addresses by which the server may be addressed, without port, IPv6 without brackets; with a
            token any name will do, since the cookie is sent to none but the one that it came from.
        token: that a browser has to know; None where none is needed.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None = None) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._token is None and _name_in(host) not in self._hosts:
            return problem(400, "This server is not to be reached by that name; open the address that it printed.")
        if scope["method"] not in SAFE_METHODS and not _is_own(headers.get("origin"), host):
            return problem(403, "Only the explorer's own page may send this.")
        return None if self._token is None else self._unknown(scope, headers)

    def _unknown(self, scope: Scope, headers: Headers) -> Response | None:
        assert self._token is not None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get(TOKEN)
        if given is not None and hmac.compare_digest(given.encode(), self._token.encode()):
            rest = urlencode([(name, value) for name, value in query if name != TOKEN])
            answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), status_code=303)
            # Without `secure`: the server speaks plain HTTP, and says so where it is opened to others.
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            return answer
        if hmac.compare_digest(_cookie(headers).encode(), self._token.encode()):
            return None
        return problem(401, "Open the address with the token that `leaplab explore` printed.")


def _name_in(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # no address at all
        return ""


def _is_own(origin: str | None, host: str) -> bool:
    return origin is not None and urlsplit(origin).netloc.lower() == host.lower()


def _cookie(headers: Headers) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""
