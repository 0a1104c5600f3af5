"""Sign in and list the spaces where there is no network but loopback; tell who was called."""

import socket
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path

from scene import Scene

UNREACHABLE = "192.0.2.1"


def main() -> None:
    """Walk the journey; print `alone` when nobody beyond this machine was ever called."""
    called: set[str] = set()

    def note(event: str, arguments: tuple[object, ...]) -> None:
        address = arguments[1] if event == "socket.connect" else None
        if isinstance(address, tuple):
            called.add(str(address[0]))

    sys.addaudithook(note)
    with tempfile.TemporaryDirectory() as folder, Scene(Path(folder)) as scene:
        page = scene.signed_in().get("/listrooms")
        assert page.status_code == 200
        assert "</table>" in page.text
    assert called
    assert all(host == "localhost" or ip_address(host).is_loopback for host in called), called
    try:
        socket.create_connection((UNREACHABLE, 9), timeout=2).close()
    except OSError:
        print("alone")


main()
