"""TLS on the way out: who is not proved to be there is not spoken to."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from unit.raw_server import RawServer, raw_server, say_body

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits
from webex_oauth.transport import HttpTransport

LIMITS = Limits(deadline_seconds=5.0, max_body_bytes=64 * 1024)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


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
def test_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    with pytest.raises(RequestNotSent):
        exchange(server_tls(authority.issue_cert("localhost")), None)


@pytest.mark.check("G08")
def test_another_name_is_refused(authority: trustme.CA, ca_file: str) -> None:
    with pytest.raises(RequestNotSent):
        exchange(server_tls(authority.issue_cert("webexapis.com")), ca_file)


@pytest.mark.check("G08")
def test_an_expired_certificate_is_refused(authority: trustme.CA, ca_file: str) -> None:
    expired = authority.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))

    with pytest.raises(RequestNotSent):
        exchange(server_tls(expired), ca_file)


@pytest.mark.check("G08")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_version_of_tls_is_refused(authority: trustme.CA, ca_file: str) -> None:
    tls = server_tls(authority.issue_cert("localhost"))
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(RequestNotSent):
        exchange(tls, ca_file)
