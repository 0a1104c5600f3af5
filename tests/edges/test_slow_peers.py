"""Many peers that send or read slowly, at the server that ships: everybody else is served."""

import contextlib
import socket
from pathlib import Path

import pytest
import requests
from edges.command import serving
from edges.visiting import sign_in
from waiting import LIMIT_SECONDS

PEERS = 300
SENT = {
    "half a head": b"GET / HTTP/1.1\r\nhost: localhost:%d\r\n",
    "no form": b"POST /login HTTP/1.1\r\nhost: localhost:%d\r\ncontent-length: 9\r\n\r\n",
    "no reader": b"GET /static/app.css HTTP/1.1\r\nhost: localhost:%d\r\n\r\n",
}


@pytest.mark.check("H10")
@pytest.mark.parametrize("kind", SENT)
def test_others_sign_in_beside_many_slow_peers(kind: str, tmp_path: Path) -> None:
    with serving(tmp_path) as (_, _, port), contextlib.ExitStack() as peers:
        for _ in range(PEERS):
            peer = peers.enter_context(socket.create_connection(("localhost", port), LIMIT_SECONDS))
            peer.sendall(SENT[kind] % port)

        origin = f"http://localhost:{port}"
        statuses = {requests.get(f"{origin}/healthz", timeout=LIMIT_SECONDS).status_code}
        browser = sign_in(port)
        statuses |= {browser.get(f"{origin}/listrooms", timeout=LIMIT_SECONDS).status_code}

    assert statuses == {200}
