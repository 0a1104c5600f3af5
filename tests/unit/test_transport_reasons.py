"""Why a request was not sent: one line that names the host, the port and what was wrong there."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from unit.exchange import LIMITS, SHORT, failure
from unit.raw_server import Answering, hang, raw_server, reset, say, say_body

from webex_oauth.errors import (
    AnswerLost,
    CertificateRefused,
    ConnectFailed,
    DeadlineExceeded,
    HostNotFound,
    InvalidResponse,
    ProxyFailed,
    RequestNotSent,
    TlsFailed,
    UpstreamError,
)
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.transport import HttpTransport


class TwoAddresses(asyncio.SelectorEventLoop):
    """An event loop whose DNS knows two addresses for every name, 127.0.0.2 first."""

    async def getaddrinfo(self, _: object, port: int, **kinds: Any) -> list[Any]:  # type: ignore[override]
        resolve = super().getaddrinfo
        found = [await resolve(one, port, **kinds) for one in BOTH]
        return [address for addresses in found for address in addresses]


BOTH = ("127.0.0.2", "127.0.0.1")


@contextmanager
def deaf(host: str, port: int = 0) -> Iterator[int]:
    """Listen with a full queue: whoever connects now hears nothing at all."""
    with socket.socket() as listener:
        listener.bind((host, port))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        try:
            yield int(listener.getsockname()[1])
        finally:
            for one in waiting:
                one.close()


def ask(
    url: str,
    *,
    proxy: str | None = None,
    ca_file: str | None = None,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> bytes:
    async def run() -> bytes:
        async with HttpTransport(proxy=proxy, ca_file=ca_file) as transport:
            return (await transport.send(HttpRequest("GET", url), LIMITS)).body

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run())


def refusal(url: str, *, proxy: str | None = None, ca_file: str | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        ask(url, proxy=proxy, ca_file=ca_file)
    assert "\n" not in str(caught.value)
    return caught.value


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


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


@pytest.mark.check("G05")
def test_a_port_where_nothing_listens_is_named() -> None:
    port = closed_port()

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


def tls_refusal(certificate: trustme.LeafCert, ca_file: str | None) -> tuple[UpstreamError, str]:
    """Ask a TLS server with *certificate*; return the error and the server's host:port."""

    async def run() -> str:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        async with (
            raw_server(say_body(b""), tls=tls) as server,
            HttpTransport(ca_file=ca_file) as transport,
        ):
            try:
                await transport.send(HttpRequest("GET", f"{server.origin}/"), LIMITS)
            except UpstreamError as error:
                failures.append(error)
            return server.origin.removeprefix("https://")

    failures: list[UpstreamError] = []
    place = asyncio.run(run())
    return failures[0], place


@pytest.mark.check("G08")
def test_each_fault_of_a_certificate_is_told_in_its_own_words(
    authority: trustme.CA, ca_file: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    cases = (
        (authority.issue_cert("localhost"), None, "unable to get local issuer certificate"),
        (authority.issue_cert("localhost", not_after=yesterday), ca_file, "has expired"),
        (authority.issue_cert("other.example"), ca_file, "not valid for 'localhost'"),
    )
    for certificate, trusted, reason in cases:
        error, place = tls_refusal(certificate, trusted)

        assert isinstance(error, CertificateRefused)
        assert f"the certificate of {place} is not trusted" in str(error)
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


def test_a_proxy_that_is_not_there_is_named() -> None:
    port = closed_port()

    error = refusal("https://webex.example/", proxy=f"http://127.0.0.1:{port}")

    assert type(error) is ProxyFailed
    assert f"the proxy 127.0.0.1:{port}" in str(error)
    assert "WEBEX_PROXY" in str(error)


def test_a_proxy_whose_name_is_unknown_is_named() -> None:
    error = refusal("https://webex.example/", proxy="http://proxy.invalid:3128")

    assert type(error) is ProxyFailed
    assert "proxy.invalid" in str(error)


@pytest.mark.parametrize(
    ("answering", "status", "told"),
    [
        (say(b"HTTP/1.1 407 Who are you\r\n\r\n"), 407, "USER:PASSWORD"),
        (say(b"HTTP/1.1 403 No\r\n\r\n"), 403, "answered 403"),
        (say(b"SSH-2.0-OpenSSH\r\n\r\n"), None, "does not answer as an HTTP proxy"),
        (say(), None, "closed the connection without an answer"),
        (reset(), None, "closed the connection without an answer"),
    ],
    ids=["407", "403", "no proxy", "nothing", "reset"],
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


@pytest.mark.parametrize(
    ("answering", "kind", "told"),
    [
        (reset(), AnswerLost, "nothing of the answer came"),
        (say(b"HTTP/1.1 200 OK\r\n"), AnswerLost, "only 17 bytes of the answer came"),
        (hang(), DeadlineExceeded, "within 0.4 s: nothing of the answer came"),
        (say(b"no http at all\r\n\r\n"), InvalidResponse, "is not HTTP"),
    ],
    ids=["reset", "half", "hang", "no HTTP"],
)
def test_an_answer_that_does_not_come_is_told_with_what_came(
    answering: Answering, kind: type[UpstreamError], told: str
) -> None:
    error = failure(answering, method="POST", limits=SHORT)

    assert type(error) is kind
    assert told in str(error)
    assert "localhost:" in str(error)


def test_every_reason_is_a_request_that_was_not_sent() -> None:
    kinds = (HostNotFound, ConnectFailed, CertificateRefused, TlsFailed, ProxyFailed)

    assert all(issubclass(kind, RequestNotSent) for kind in kinds)
