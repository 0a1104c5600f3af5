"""OAuth clients by others, from npm, at the emulator: openid-client and simple-oauth2."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from peers.processes import node
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Emulator, RunningEmulator, Visitor
from webex_oauth.webex.platform import platform

MIRA = "mira@acme.example"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with RunningEmulator() as running:
        yield running.emulator


@pytest.mark.check("I10")
def test_openid_client_signs_in_refreshes_and_revokes(emulator: Emulator) -> None:
    issued, renewed, revoked, refused = said_by("openid_client.mjs", emulator)

    assert issued["token_type"].lower() == "bearer"
    assert renewed["access_token"] != issued["access_token"]
    assert revoked == {"revoked": True}
    assert not emulator.tokens.is_active(renewed["refresh_token"])
    assert refused["status"] == 400
    exchange = emulator.journal.matching("POST", "/v1/access_token")[0]
    assert "pkce_verified" in exchange.notes


@pytest.mark.parametrize("decision", ["accept", "decline"])
def test_openid_client_signs_in_a_device_that_polls(
    emulator: Emulator, decision: Literal["accept", "decline"]
) -> None:
    emulator.change_options(
        device_pending_status=400, device_interval_seconds=1, error_shape="broker"
    )
    token_endpoint = f"{emulator.origin}/v1/device/token"
    known = registration(emulator) | {
        "token_endpoint": token_endpoint,
        "device_authorization_endpoint": f"{emulator.origin}/v1/device/authorize",
    }
    command = [*node("openid_client_device.mjs"), json.dumps(known)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        codes = json.loads(client.stdout.readline())
        emulator.journal.wait_for("POST", "/v1/device/token", timeout_seconds=LIMIT_SECONDS)
        Visitor().sign_in_device(codes["verification_uri_complete"], MIRA, decision)
        told, _ = client.communicate(timeout=LIMIT_SECONDS)

    ended = json.loads(told)
    if decision == "accept":
        assert emulator.tokens.is_active(ended["access_token"])
    else:
        assert ended == {"error": "access_denied"}


@pytest.mark.parametrize("status", [200, 204])
def test_simple_oauth2_signs_in_refreshes_and_revokes(emulator: Emulator, status: int) -> None:
    emulator.change_options(revoke_status=status)

    issued, renewed, revoked, refused = said_by("simple_oauth2.mjs", emulator)

    assert renewed["access_token"] != issued["access_token"]
    assert revoked == {"revoked": True}
    assert not emulator.tokens.is_active(renewed["refresh_token"])
    assert not emulator.tokens.is_active(renewed["access_token"])
    assert refused["status"] == 400


def said_by(program: str, emulator: Emulator) -> list[dict[str, Any]]:
    """Run a program that signs Mira in, refreshes, revokes and refreshes; return its answers."""
    command = [*node(program), json.dumps(registration(emulator))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdout is not None
        asking = json.loads(client.stdout.readline())
        callback_url = Visitor().sign_in(asking["url"], MIRA, "accept")
        told, _ = client.communicate(callback_url + "\n", timeout=LIMIT_SECONDS)
    return [json.loads(line) for line in told.splitlines()]


def registration(emulator: Emulator) -> dict[str, str]:
    """Write down what the client knows of the emulator."""
    integration, server = emulator.integration, platform(emulator.origin).server
    return {
        "issuer": server.issuer,
        "authorization_endpoint": server.authorization_endpoint,
        "token_endpoint": server.token_endpoint,
        "revocation_endpoint": str(server.revocation_endpoint),
        "client_id": integration.client_id,
        "client_secret": integration.client_secret,
        "redirect_uri": integration.redirect_uris[0],
        "scope": " ".join(integration.scopes),
    }
