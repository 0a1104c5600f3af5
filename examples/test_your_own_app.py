"""A test of your own application, without Webex and without a browser."""

from fastapi.testclient import TestClient
from fastapi_rooms import app, webex

from webex_oauth.testing import WebexEmulator


def test_my_rooms(webex_emulator: WebexEmulator) -> None:
    with webex_emulator.serving(webex), TestClient(app, base_url=webex_emulator.base_url) as client:
        assert client.get("/api/rooms").status_code == 401
        webex_emulator.sign_in(client, "luca@acme.example")
        assert len(client.get("/api/rooms").json()) == 3
        webex_emulator.revoke("luca@acme.example")  # the person withdraws the application
        assert client.get("/api/rooms").json()["error"] == "ReauthRequired"
