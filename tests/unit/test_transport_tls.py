"""TLS on the way out: who is not proved to be there is not spoken to."""

import asyncio
import contextlib
import ssl

import pytest
import trustme
from unit.raw_server import Answering, RawServer, raw_server, say, say_body

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport import HttpTransport

EVERY_CIPHER = "ALL:@SECLEVEL=0"
LIMITS = Limits(deadline_seconds=5.0, max_body_bytes=64 * 1024)


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def exchange(tls: ssl.SSLContext, ca_file: str | None) -> tuple[HttpResponse, RawServer]:
    async def run() -> tuple[HttpResponse, RawServer]:
        async with (
            raw_server(say_body(b"sealed"), tls=tls) as server,
            HttpTransport(ca_file=ca_file) as transport,
        ):
            request = HttpRequest("GET", f"{server.origin}/", {"authorization": "Bearer x"})
            return await transport.send(request, LIMITS), server

    return asyncio.run(run())


@pytest.mark.check("G08")
def test_a_server_that_a_trusted_authority_vouches_for_is_spoken_to(
    authority: trustme.CA, ca_file: str
) -> None:
    answer, _ = exchange(server_tls(authority.issue_cert("localhost")), ca_file)

    assert answer.body == b"sealed"


@pytest.mark.check("G08")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("newest", "outcome"),
    [
        (ssl.TLSVersion.TLSv1_1, pytest.raises(RequestNotSent)),
        (ssl.TLSVersion.TLSv1_2, contextlib.nullcontext()),
    ],
    ids=["1.1 is refused", "1.2 is spoken"],
)
def test_the_oldest_version_of_tls_is_one_point_two(
    newest: ssl.TLSVersion,
    outcome: contextlib.AbstractContextManager[object],
    authority: trustme.CA,
    ca_file: str,
) -> None:
    tls = server_tls(authority.issue_cert("localhost"))
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = newest
    tls.set_ciphers(EVERY_CIPHER)

    async def run() -> None:
        async with (
            raw_server(say_body(b"sealed"), tls=tls) as server,
            HttpTransport(ca_file=ca_file) as transport,
        ):
            # OpenSSL's own security level refuses old versions too: without it, the floor decides.
            transport._pool._dialer._tls.set_ciphers(EVERY_CIPHER)
            await transport.send(HttpRequest("GET", f"{server.origin}/", {}), LIMITS)

    with outcome:
        asyncio.run(run())


def tunnel_to(port: int, opened: bytes) -> Answering:
    """Answer CONNECT, then carry bytes to *port* on this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(opened)
        ways = {asyncio.create_task(carry(reader, back)), asyncio.create_task(carry(there, writer))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            back.close()
            writer.close()
            with contextlib.suppress(OSError):
                await back.wait_closed()

    return answer


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(65536):
            sink.write(piece)
            await sink.drain()


def through(
    proxy_answer: Answering | bytes, authority: trustme.CA, ca_file: str
) -> tuple[bytes, str]:
    """Ask a TLS server through a proxy; give the body, and what the proxy was asked."""

    async def run() -> tuple[bytes, str]:
        tls = server_tls(authority.issue_cert("localhost"))
        async with raw_server(say_body(b"sealed"), tls=tls) as server:
            port = int(server.origin.rpartition(":")[2])
            answer = (
                tunnel_to(port, proxy_answer) if isinstance(proxy_answer, bytes) else proxy_answer
            )
            async with raw_server(answer) as proxy:
                url = proxy.origin.replace("http://", "http://me:pass@")
                async with HttpTransport(proxy=url, ca_file=ca_file) as transport:
                    request = HttpRequest("GET", f"{server.origin}/", {"authorization": SECRET})
                    body = (await transport.send(request, LIMITS)).body
                    return body, proxy.heads[0]

    return asyncio.run(run())


SECRET = "Bearer canary-77aa"


@pytest.mark.check("G08", "E01")
@pytest.mark.parametrize("status", [b"200 OK", b"204 Open"])  # RFC 9110 section 9.3.6: any 2xx
def test_a_proxy_carries_what_it_cannot_read(
    status: bytes, authority: trustme.CA, ca_file: str
) -> None:
    body, asked = through(b"HTTP/1.1 " + status + b"\r\n\r\n", authority, ca_file)

    assert body == b"sealed"
    assert asked.startswith("CONNECT localhost:")
    assert "proxy-authorization: Basic bWU6cGFzcw==" in asked
    assert SECRET not in asked


@pytest.mark.parametrize(
    "refusal",
    [
        say(b"x" * 40_000),
        say(b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all"),
    ],
    ids=["endless", "no TLS"],
)
def test_a_proxy_that_opens_no_way_means_that_nothing_was_sent(
    refusal: Answering, authority: trustme.CA, ca_file: str
) -> None:
    with pytest.raises(RequestNotSent):
        through(refusal, authority, ca_file)
