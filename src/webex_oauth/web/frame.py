"""What stands around every page: bounds on a request, headers on an answer, the last resort."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.settings.urls import is_loopback
from webex_oauth.web import request_failures
from webex_oauth.web.diagnosis import status_failure
from webex_oauth.web.failures import Refused
from webex_oauth.web.reference import reference_id

log = logging.getLogger(__name__)

MAX_TARGET_BYTES = 8 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_UNDER_WAY = 1000

HeaderList = Sequence[tuple[bytes, bytes]]
ShowFailure = Callable[[Scope, Refused], Awaitable[ASGIApp]]
"""Log that the request in the scope was refused, and build the answer that says so."""

PERMISSIONS_POLICY = (
    b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    b"magnetometer=(), microphone=(), payment=(), usb=()"
)


def security_headers(public_origin: str) -> HeaderList:
    """Build the headers that every answer carries unless it brings its own of the same name."""
    parts = urlsplit(public_origin)
    headers = [
        (b"content-security-policy", content_security_policy()),
        (b"cache-control", b"no-store"),
        (b"vary", b"cookie"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", PERMISSIONS_POLICY),
    ]
    # HSTS holds for every port of a host: on localhost it would reach all that runs there.
    if parts.scheme == "https" and not is_loopback(parts):
        headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return headers


def content_security_policy(
    image_origin: str | None = None, *, leads_to_webex: bool = False
) -> bytes:
    """Allow this origin's own files, nothing inline, and images of *image_origin* if given.

    Forms may only post here, except on a page that *leads_to_webex*: Chromium holds form-action
    against every redirect that follows a form, and through how many origins Webex and a company's
    own sign-in lead a person is not known here.
    """
    images = f"'self' {image_origin}" if image_origin else "'self'"
    form_action = "" if leads_to_webex else "form-action 'self'; "
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {images}; {form_action}object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ).encode("ascii")


class Frame:
    """Stand around *app* as an ASGI application of its own.

    Only requests for *public_hosts* are answered, at most MAX_UNDER_WAY at a time. A failure, also
    one nobody foresaw, becomes the answer that *show_failure* builds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_hosts: Iterable[str],
        headers: HeaderList,
        show_failure: ShowFailure,
    ) -> None:
        self._app = app
        self._public_hosts = frozenset(host.encode("ascii") for host in public_hosts)
        self._headers = headers
        self._show_failure = show_failure
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["app"] = self
        outlet = _Outlet(send, self._headers)
        refused = self._refusal(scope)
        if refused is not None:
            await self._fail(scope, receive, outlet, refused)
            return
        self._under_way += 1
        try:
            await self._run(scope, _bounded(receive), outlet)
        finally:
            self._under_way -= 1

    async def _run(self, scope: Scope, receive: Receive, outlet: "_Outlet") -> None:
        try:
            await self._app(scope, receive, outlet.send)
        except ClientDisconnect:
            log.debug("the browser left before its form was whole")
        except BodyTooLarge:
            await self._fail(scope, receive, outlet, _too_large("the body of the request"))
        except HTTPException as error:
            headers = [(k.encode(), v.encode()) for k, v in (error.headers or {}).items()]
            refused = Refused(status_failure(error.status_code), error.detail, error)
            await self._fail(scope, receive, outlet, refused, headers)
        except Exception as error:  # noqa: BLE001 - the last resort; it is logged with its traceback
            refused = Refused(request_failures.UNEXPECTED, "unforeseen failure", error)
            await self._fail(scope, receive, outlet, refused)

    def _refusal(self, scope: Scope) -> Refused | None:
        hosts, header_bytes, body_bytes = _claims(scope["headers"])
        is_ours = len(hosts) == 1 and hosts[0] in self._public_hosts
        if not is_ours and not self._is_probe(scope):
            return Refused(request_failures.WRONG_HOST, _wrong_host(hosts))
        target_bytes = len(scope["raw_path"]) + len(scope["query_string"])
        if target_bytes > MAX_TARGET_BYTES:
            reason = f"the address has {target_bytes} bytes"
            return Refused(request_failures.URL_TOO_LONG, reason)
        if header_bytes > MAX_HEADER_BYTES:
            reason = f"the headers have {header_bytes} bytes"
            return Refused(request_failures.HEADERS_TOO_LARGE, reason)
        if body_bytes > MAX_BODY_BYTES:
            return _too_large(f"a body of {body_bytes} bytes")
        if self._under_way >= MAX_UNDER_WAY and not self._is_probe(scope):
            reason = f"{MAX_UNDER_WAY} requests are under way already"
            return Refused(request_failures.OVERLOADED, reason)
        return None

    @staticmethod
    def _is_probe(scope: Scope) -> bool:
        """Tell the health checks apart: a load balancer asks for them by address."""
        return scope["path"] in {"/healthz", "/readyz"}

    async def _fail(
        self,
        scope: Scope,
        receive: Receive,
        outlet: "_Outlet",
        refused: Refused,
        headers: HeaderList = (),
    ) -> None:
        outlet.headers = [*headers, *outlet.headers]
        response = await self._page(scope, refused)
        if outlet.has_started:
            # The status is sent; all that is left is to cut the answer short, visibly.
            raise ConnectionAbortedError(refused.failure.name)
        await response(scope, receive, outlet.send)

    async def _page(self, scope: Scope, refused: Refused) -> ASGIApp:
        failure = refused.failure
        try:
            return await self._show_failure(scope, refused)
        except Exception:
            log.exception(
                "the page of a failure failed",
                extra={"failure": failure.name, "reference": reference_id(scope)},
            )
        text = f"{failure.title}. Reference: {reference_id(scope)}\n"
        return PlainTextResponse(text, failure.status)


class BodyTooLarge(Exception):
    """Stop reading a request body beyond MAX_BODY_BYTES."""


class _Outlet:
    """Add the standing headers to the start of an answer."""

    def __init__(self, send: Send, headers: HeaderList) -> None:
        self._send = send
        self.headers = headers
        self.has_started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            present = [name for name, _ in message["headers"]]
            added = [header for header in self.headers if header[0] not in present]
            message["headers"] = message["headers"] + added
        await self._send(message)


def _wrong_host(hosts: Sequence[bytes]) -> str:
    named = ", ".join(host.decode("latin-1") for host in hosts)
    return f"the request is for the host {read_text(named) or 'of no name'}"


def _too_large(what: str) -> Refused:
    reason = f"{what} is larger than {MAX_BODY_BYTES} bytes"
    return Refused(request_failures.BODY_TOO_LARGE, reason)


def _claims(headers: HeaderList) -> tuple[list[bytes], int, int]:
    """Read in one pass the hosts, the bytes of all headers and the bytes the body shall have."""
    hosts: list[bytes] = []
    header_bytes = body_bytes = 0
    for name, value in headers:
        header_bytes += len(name) + len(value)
        if name == b"host":
            hosts.append(value.lower())
        elif name == b"content-length":
            body_bytes = max(body_bytes, int(value))
    return hosts, header_bytes, body_bytes


def _bounded(receive: Receive) -> Receive:
    size_bytes = 0

    async def receive_bounded() -> Message:
        nonlocal size_bytes
        message = await receive()
        size_bytes += len(message.get("body", b""))
        if size_bytes > MAX_BODY_BYTES:
            raise BodyTooLarge
        return message

    return receive_bounded
