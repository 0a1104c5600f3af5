"""New connections: TLS, proxies, and why a request was not sent, in one line that names where."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from services.processes import free_port
from unit.exchange import LIMITS, exchange, failure
from unit.raw_server import Answering, raw_server, reset, say, say_body

from webex_oauth.errors import (
    CertificateRefused,
    ConnectFailed,
    HostNotFound,
    ProxyFailed,
    RequestNotSent,
    TlsFailed,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.transport import HttpTransport

EVERY_CIPHER = "ALL:@SECLEVEL=0"
SECRET = "Bearer canary-77aa"
BOTH_ADDRESSES = ("127.0.0.2", "127.0.0.1")


class TwoAddresses(asyncio.SelectorEventLoop):
    """An event loop whose DNS knows two addresses for every name."""

    async def getaddrinfo(self, _: object, port: int, **kinds: Any) -> list[Any]:  # type: ignore[override]
        resolve = super().getaddrinfo
        found = [await resolve(one, port, **kinds) for one in BOTH_ADDRESSES]
        return [address for addresses in found for address in addresses]


@contextlib.contextmanager
def deaf(host: str, port: int = 0) -> Iterator[int]:
    """Listen with a full queue, so that a new connection is never answered."""
    with socket.socket() as listener, contextlib.ExitStack() as exits:
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            waiting = exits.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def refusal(url: str, proxy: str | None = None) -> UpstreamError:
    async def run() -> None:
        async with HttpTransport(proxy=proxy) as transport:
            await transport.send(HttpRequest("GET", url), LIMITS)

    with pytest.raises(UpstreamError) as caught:
        asyncio.run(run())
    assert "\n" not in str(caught.value)
    return caught.value


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_a_dead_first_address_leaves_time_for_the_next() -> None:
    async def run() -> bytes:
        async with raw_server(say_body(b"alive")) as server, HttpTransport() as transport:
            port = int(server.origin.rpartition(":")[2])
            with deaf("127.0.0.2", port):
                url = f"http://two.example:{port}/"
                return (await transport.send(HttpRequest("GET", url), LIMITS)).body

    with asyncio.Runner(loop_factory=TwoAddresses) as runner:
        assert runner.run(run()) == b"alive"


def test_a_proxy_whose_first_address_is_dead_is_reached_by_its_next() -> None:
    async def run() -> None:
        async with raw_server(say(b"HTTP/1.1 407 Who\r\n\r\n")) as server:
            port = int(server.origin.rpartition(":")[2])
            async with HttpTransport(proxy=f"http://proxy.example:{port}") as transport:
                with deaf("127.0.0.2", port):
                    await transport.send(HttpRequest("GET", "https://webex.example/"), LIMITS)

    with asyncio.Runner(loop_factory=TwoAddresses) as runner, pytest.raises(ProxyFailed) as caught:
        runner.run(run())
    assert caught.value.status == 407


def test_an_unknown_name_is_named() -> None:
    error = refusal("https://no-such-host.invalid/")

    assert type(error) is HostNotFound
    assert "no-such-host.invalid" in str(error)


def test_a_program_that_ends_without_closing_sends_nothing() -> None:
    async def run() -> None:
        no_threads = ThreadPoolExecutor()
        no_threads.shutdown()
        asyncio.get_running_loop().set_default_executor(no_threads)
        async with HttpTransport() as transport:
            await transport.send(HttpRequest("GET", "https://localhost/"), LIMITS)

    with pytest.raises(ConnectFailed, match="looking up localhost failed"):
        asyncio.run(run())


@pytest.mark.check("G05")
def test_a_port_where_nothing_listens_is_named() -> None:
    port = free_port()

    error = refusal(f"http://127.0.0.1:{port}/")

    assert type(error) is ConnectFailed
    assert f"connecting to 127.0.0.1:{port} failed" in str(error)
    assert "refused" in str(error)
    assert "WEBEX_PROXY" in error.remedy


def test_an_address_that_hears_nothing_is_named_with_the_time_it_had() -> None:
    with deaf("127.0.0.1") as port:
        error = refusal(f"http://127.0.0.1:{port}/")

    assert type(error) is ConnectFailed
    assert f"connecting to 127.0.0.1:{port} took longer than 5 s" in str(error)


@pytest.mark.check("G08")
def test_a_server_that_a_trusted_authority_vouches_for_is_spoken_to(
    authority: trustme.CA, ca_file: str
) -> None:
    tls = server_tls(authority.issue_cert("localhost"))

    answer, _ = exchange(say_body(b"sealed"), tls=tls, ca_file=ca_file)

    assert answer.body == b"sealed"


@pytest.mark.check("G08")
def test_each_fault_of_a_certificate_is_named_in_openssls_words(
    authority: trustme.CA, ca_file: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    cases = (
        (authority.issue_cert("localhost"), None, "unable to get local issuer certificate"),
        (authority.issue_cert("localhost", not_after=yesterday), ca_file, "has expired"),
        (authority.issue_cert("other.example"), ca_file, "not valid for 'localhost'"),
    )
    for certificate, trusted, reason in cases:
        error = failure(say_body(b""), tls=server_tls(certificate), ca_file=trusted)

        assert isinstance(error, CertificateRefused)
        assert str(error).startswith("the certificate of localhost:")
        assert reason in error.reason
        assert "WEBEX_CA_FILE" in error.remedy


def test_what_speaks_no_tls_is_told() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, HttpTransport() as transport:
            await transport.send(HttpRequest("GET", f"https://localhost:{port}/"), LIMITS)

    with pytest.raises(TlsFailed, match=r"TLS with localhost:\d+ failed: wrong version number"):
        asyncio.run(run())


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
            transport._pool._dialer._tls().set_ciphers(EVERY_CIPHER)
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


def through(opened: bytes, authority: trustme.CA, ca_file: str) -> tuple[bytes, str]:
    """Ask a TLS server through a proxy; return the body, and what the proxy was asked."""

    async def run() -> tuple[bytes, str]:
        tls = server_tls(authority.issue_cert("localhost"))
        async with raw_server(say_body(b"sealed"), tls=tls) as server:
            port = int(server.origin.rpartition(":")[2])
            async with raw_server(tunnel_to(port, opened)) as proxy:
                url = proxy.origin.replace("http://", "http://me:pass@")
                async with HttpTransport(proxy=url, ca_file=ca_file) as transport:
                    request = HttpRequest("GET", f"{server.origin}/", {"authorization": SECRET})
                    body = (await transport.send(request, LIMITS)).body
                    return body, proxy.heads[0]

    return asyncio.run(run())


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


def test_a_proxy_that_is_not_there_or_whose_name_is_unknown_is_named() -> None:
    absent = f"127.0.0.1:{free_port()}"
    for proxy, named in ((absent, absent), ("proxy.invalid:3128", "proxy.invalid")):
        error = refusal("https://webex.example/", proxy=f"http://{proxy}")

        assert type(error) is ProxyFailed
        assert f"the proxy {named}" in str(error)
        assert "WEBEX_PROXY" in str(error)


@pytest.mark.parametrize(
    ("answering", "status", "told"),
    [
        (say(b"HTTP/1.1 407 Who are you\r\n\r\n"), 407, "USER:PASSWORD"),
        (say(b"HTTP/1.1 403 No\r\n\r\n"), 403, "answered 403"),
        (say(b"SSH-2.0-OpenSSH\r\n\r\n"), None, "does not answer as an HTTP proxy"),
        (say(), None, "closed the connection without an answer"),
        (reset(), None, "closed the connection without an answer"),
        (say(b"x" * 40_000), None, "does not answer as an HTTP proxy"),
    ],
    ids=["407", "403", "no proxy", "nothing", "reset", "endless"],
)
def test_a_proxy_that_opens_no_tunnel_is_named_with_its_answer(
    answering: Answering, status: int | None, told: str
) -> None:
    async def run() -> str:
        async with raw_server(answering) as proxy, HttpTransport(proxy=proxy.origin) as transport:
            with pytest.raises(ProxyFailed) as caught:
                await transport.send(HttpRequest("GET", "https://webex.example/"), LIMITS)
            assert caught.value.status == status
            assert proxy.origin.removeprefix("http://") in str(caught.value)
            return str(caught.value)

    assert told in asyncio.run(run())


def test_a_tunnel_to_what_speaks_no_tls_sends_nothing() -> None:
    async def run() -> None:
        answering = say(b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all")
        async with raw_server(answering) as proxy, HttpTransport(proxy=proxy.origin) as transport:
            await transport.send(HttpRequest("GET", "https://webex.example/"), LIMITS)

    with pytest.raises(RequestNotSent):
        asyncio.run(run())
