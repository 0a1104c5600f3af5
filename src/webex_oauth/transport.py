"""The way out: the only file that knows the HTTP client.

Every exchange has one deadline for the whole of it and one bound on the decoded answer. No
redirect is followed, no cookie kept, and nothing is read from the environment: no proxy, no
.netrc, no certificate file, no key log.
"""

import ssl
import zlib
from types import TracebackType
from typing import Self

import aiohttp
import certifi
from yarl import URL

from webex_oauth.errors import (
    AnswerLost,
    DeadlineExceeded,
    InvalidResponse,
    RequestNotSent,
    ResponseTooLarge,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits

CONNECT_SECONDS = 5.0
MAX_CONNECTIONS = 256
KEEP_ALIVE_SECONDS = 15.0

# zlib.decompressobj: 16 + MAX_WBITS reads a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS


class HttpTransport:
    """Send requests over HTTP/1.1 with pooled connections.

    *proxy* is an http:// URL to go through; *ca_file* a PEM file to trust instead of the
    bundled authorities.
    """

    def __init__(self, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._proxy = URL(proxy) if proxy else None
        self._tls = _tls_context(ca_file or certifi.where())
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=self._tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "webex-oauth", "accept-encoding": "identity"},
            skip_auto_headers=["content-type", "accept"],
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Send *request* once; see `Transport.send`."""
        failure: UpstreamError
        try:
            return await self._exchange(request, limits)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            failure = RequestNotSent(f"no connection: {type(error).__name__}")
        except (TimeoutError, aiohttp.ServerTimeoutError):
            failure = DeadlineExceeded(f"no whole answer in {limits.deadline_seconds:g} s")
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError) as error:
            failure = InvalidResponse(f"not an HTTP answer: {type(error).__name__}")
        except (aiohttp.ClientError, OSError) as error:
            failure = AnswerLost(f"the connection broke: {type(error).__name__}")
        # Raised outside the handlers: the client's frames hold the headers, and so the token,
        # and must not travel in a traceback.
        raise failure

    async def _exchange(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if self._session is None:
            raise RequestNotSent("the transport is closed")
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(
                total=limits.deadline_seconds, connect=min(CONNECT_SECONDS, limits.deadline_seconds)
            ),
        ) as answer:
            body = await _read_body(answer, limits.max_body_bytes)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpResponse(answer.status, headers, body)


async def _read_body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in answer.content.iter_any():
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            answer.close()
            raise ResponseTooLarge(f"the answer exceeds {max_bytes} bytes")
        chunks.append(chunk)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    coding = answer.headers.get("content-encoding")
    return body if coding is None else _decoded(body, coding, max_bytes)


def _decoded(body: bytes, coding: str, max_bytes: int) -> bytes:
    """Undo a content coding that was not asked for, within the same bound."""
    if coding.strip().lower() == "identity":
        return body
    if coding.strip().lower() not in {"gzip", "x-gzip"}:
        raise InvalidResponse("the answer has a content coding that was not asked for")
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = inflater.decompress(body, max_bytes)
    except zlib.error:
        raise InvalidResponse("the answer's gzip coding is broken") from None
    if inflater.unconsumed_tail:
        raise ResponseTooLarge(f"the answer exceeds {max_bytes} bytes when inflated")
    if not inflater.eof:
        raise InvalidResponse("the answer's gzip coding is cut short")
    return plain


def _tls_context(ca_file: str) -> ssl.SSLContext:
    # Not ssl.create_default_context: that obeys SSLKEYLOGFILE and SSL_CERT_FILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file)
    return context
