"""The files of docs/deploy do what they say, each with the program it is for."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme
from architecture.sources import ROOT
from edges.command import serving, wait_until_listening
from services.processes import free_port

DEPLOY = ROOT / "docs" / "deploy"
NAME = "webex.example.com"
SECONDS = 10
APPLICATION = "127.0.0.1:8080"

Prepare = Callable[[Path, str, int], list[str | Path]]
"""Write what a proxy needs into a folder: its file, changed for these ports; return its command."""


def write_certificate(folder: Path) -> None:
    """Write a certificate and its key, both in one file as HAProxy wants them, and who made it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    made = authority.issue_cert("localhost", NAME)
    made.cert_chain_pems[0].write_to_path(str(folder / "site.crt"))
    made.private_key_pem.write_to_path(str(folder / "site.key"))
    made.private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))


def haproxy(folder: Path, application: str, port: int) -> list[str | Path]:
    text = (DEPLOY / "haproxy.cfg").read_text().replace(APPLICATION, application)
    text = text.replace(f"/etc/haproxy/{NAME}.pem", str(folder / "site.pem"))
    (folder / "haproxy.cfg").write_text(text.replace(":443", f"127.0.0.1:{port}"))
    return ["haproxy", "-db", "-f", folder / "haproxy.cfg"]


def nginx(folder: Path, application: str, port: int) -> list[str | Path]:
    text = (DEPLOY / "nginx.conf").read_text().replace(APPLICATION, application)
    text = text.replace(f"/etc/ssl/{NAME}.pem", str(folder / "site.crt"))
    text = text.replace(f"/etc/ssl/{NAME}.key", str(folder / "site.key"))
    (folder / "site.conf").write_text(text.replace("listen 443", f"listen 127.0.0.1:{port}"))
    main = f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
    (folder / "nginx.conf").write_text(main + f"http {{ include {folder}/site.conf; }}\n")
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf"]


def caddy(folder: Path, application: str, port: int) -> list[str | Path]:
    text = (DEPLOY / "Caddyfile").read_text().replace(APPLICATION, application)
    tls = f"https://localhost:{port} {{\n\ttls {folder}/site.crt {folder}/site.key"
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + text.replace(f"{NAME} {{", tls))
    return ["caddy", "run", "--config", folder / "Caddyfile"]


@contextmanager
def proxy(prepare: Prepare, folder: Path, application: str) -> Iterator[int]:
    """Run a proxy in front of *application*; yield its port."""
    if not shutil.which(prepare.__name__):
        pytest.skip(f"there is no {prepare.__name__} here")
    write_certificate(folder)
    port = free_port()
    command = prepare(folder, application, port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin"}
        )
    try:
        wait_until_listening(port)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.mark.parametrize("prepare", [haproxy, nginx, caddy])
def test_a_proxy_passes_on_what_the_application_needs(tmp_path: Path, prepare: Prepare) -> None:
    with (
        serving(tmp_path) as (_, _, app_port),
        proxy(prepare, tmp_path, f"127.0.0.1:{app_port}") as port,
    ):
        ask = asking(tmp_path / "ca.pem", port, app_port)
        page = ask("/")
        starts = [ask("/login").status_code for _ in range(40)]
        callbacks = [ask("/oauth?code=c&state=s").status_code for _ in range(40)]

    assert (page.status_code, "<h1>" in page.text) == (200, True)
    assert set(starts) == {requests.codes.see_other}
    assert callbacks[0] == requests.codes.bad_request
    assert (callbacks[-1] == requests.codes.too_many) is (prepare is not caddy)


def asking(ca_file: Path, port: int, app_port: int) -> Callable[[str], requests.Response]:
    """Return a way to ask the proxy on *port* for pages of the application on *app_port*."""

    def ask(path: str) -> requests.Response:
        return requests.get(
            f"https://localhost:{port}{path}",
            headers={"host": f"localhost:{app_port}"},
            verify=str(ca_file),
            allow_redirects=False,
            timeout=SECONDS,
        )

    return ask


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd here")
    text = (DEPLOY / "webex-oauth.service").read_text()
    unit = tmp_path / "webex-oauth.service"
    unit.write_text(text.replace("/opt/webex-oauth/bin/webex-oauth serve", "/bin/true"))

    told = subprocess.run(
        ["systemd-analyze", "verify", unit],  # noqa: S607 - where the system has it
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS * 3,
    )

    assert [line for line in told.stderr.splitlines() if "webex-oauth.service" in line] == []
