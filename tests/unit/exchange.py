"""Exchanges of the transport with a server that answers what it is told to."""

import asyncio
import ssl
from collections.abc import Mapping

import pytest
from unit.raw_server import Answering, RawServer, raw_server

from webex_oauth.errors import UpstreamError
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport import HttpTransport

LIMITS = Limits(deadline_seconds=5.0, max_body_bytes=64 * 1024)
SHORT = Limits(deadline_seconds=0.4, max_body_bytes=64 * 1024)


def exchange(
    *answers: Answering,
    limits: Limits = LIMITS,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    count: int = 1,
    tls: ssl.SSLContext | None = None,
    ca_file: str | None = None,
) -> tuple[HttpResponse, RawServer]:
    """Send *count* requests with one transport; return the last answer and what was received."""

    async def run() -> tuple[HttpResponse, RawServer]:
        async with (
            raw_server(*answers, tls=tls) as server,
            HttpTransport(ca_file=ca_file) as transport,
        ):
            body = b"a=b" if method == "POST" else b""
            request = HttpRequest(method, f"{server.origin}/path?a=%2F", headers or {}, body)
            for _ in range(count - 1):
                await transport.send(request, limits)
            return await transport.send(request, limits), server

    return asyncio.run(run())


def failure(
    *answers: Answering,
    limits: Limits = LIMITS,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    ca_file: str | None = None,
) -> UpstreamError:
    """Send one request that fails; return its error, whose message is one line."""
    with pytest.raises(UpstreamError) as caught:
        exchange(*answers, limits=limits, method=method, headers=headers, tls=tls, ca_file=ca_file)
    assert "\n" not in str(caught.value)
    return caught.value
