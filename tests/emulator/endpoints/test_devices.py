"""The device grant: a program polls with its code until a person has decided in a browser."""

from typing import Any

import pytest
from emulator.wire import Wire, WireAnswer, basic

from webex_oauth.emulator import Emulator, Visitor, VisitRefused

MIRA = "mira@acme.example"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A program that waits for a person."""

    def __init__(self, emulator: Emulator, wire: Wire) -> None:
        self._emulator, self._wire = emulator, wire
        self.codes: dict[str, Any] = begin(wire, emulator.integration.client_id).json

    def poll(self, **changes: str) -> WireAnswer:
        fields = self._wire.token_fields(GRANT, device_code=self.codes["device_code"])
        return self._wire.post("/v1/device/token", {**fields, **changes})

    def poll_in_time(self) -> WireAnswer:
        self._emulator.clock.advance(2)
        return self.poll()


@pytest.fixture
def device(emulator: Emulator, wire: Wire) -> Device:
    emulator.clock.stop()
    return Device(emulator, wire)


def begin(wire: Wire, client_id: str, scope: str = "spark:people_read") -> WireAnswer:
    return wire.post("/v1/device/authorize", {"client_id": client_id, "scope": scope})


def test_a_device_gets_six_digits_and_two_links_to_the_broker(
    emulator: Emulator, device: Device
) -> None:
    link = device.codes["verification_uri"]

    assert link == f"{emulator.broker_origin}/verify"
    assert len(device.codes["user_code"]) == 6
    assert device.codes["user_code"].isdigit()
    code = device.codes["verification_uri_complete"].removeprefix(f"{link}?userCode=")
    assert len(code) == 64
    assert (device.codes["expires_in"], device.codes["interval"]) == (300, 2)


@pytest.mark.parametrize("is_code_typed", [True, False])
def test_an_accepted_device_gets_tokens_once(
    emulator: Emulator, wire: Wire, device: Device, *, is_code_typed: bool
) -> None:
    assert device.poll().status == 428
    if is_code_typed:
        typed = "{:.3}-{:.3}".format(device.codes["user_code"], device.codes["user_code"][3:])
        Visitor().sign_in_device(device.codes["verification_uri"], MIRA, user_code=typed)
    else:
        Visitor().sign_in_device(device.codes["verification_uri_complete"], MIRA)

    tokens, again = device.poll_in_time(), device.poll_in_time()

    assert (tokens.json["scope"], tokens.json["expires_in"]) == ("spark:people_read", 64_799)
    assert wire.get("/v1/people/me", tokens.json["access_token"]).json["emails"] == [MIRA]
    refreshed = wire.token_fields("refresh_token", refresh_token=tokens.json["refresh_token"])
    assert wire.post("/v1/access_token", refreshed).status == 200
    assert (again.status, again.json["message"]) == (400, "invalid_grant")
    assert emulator.journal.matching("POST", "/v1/device/token")[0].client_id


@pytest.mark.parametrize("status", [428, 400])
def test_a_device_that_waits_is_told_so_in_either_style(
    emulator: Emulator, device: Device, status: int
) -> None:
    emulator.change_options(device_pending_status=status)
    gateway = device.poll()
    emulator.change_options(error_shape="broker")
    broker = device.poll_in_time()

    assert (gateway.status, broker.status) == (status, status)
    assert gateway.json["errors"] == [{"description": "authorization_pending"}]
    assert broker.json["error"] == "authorization_pending"


def test_a_device_that_asks_too_soon_must_slow_down(emulator: Emulator, device: Device) -> None:
    first, hasty, patient = device.poll(), device.poll(), device.poll_in_time()

    assert [first.status, hasty.status, patient.status] == [428, 400, 428]
    assert hasty.json["message"] == "slow_down"
    emulator.change_options(device_interval_seconds=0)
    assert device.poll().status == 428


def test_a_person_may_decline(device: Device) -> None:
    Visitor().sign_in_device(device.codes["verification_uri_complete"], MIRA, "decline")

    assert (device.poll().status, device.poll().json["message"]) == (400, "access_denied")


def test_a_device_and_its_page_expire(emulator: Emulator, device: Device) -> None:
    emulator.clock.advance(300)

    assert (device.poll().status, device.poll().json["message"]) == (400, "expired_token")
    with pytest.raises(VisitRefused, match="No device waits with this code"):
        Visitor().sign_in_device(device.codes["verification_uri_complete"], MIRA)
    with pytest.raises(VisitRefused, match="No device waits with this code"):
        Visitor().sign_in_device(
            device.codes["verification_uri"], MIRA, user_code=device.codes["user_code"]
        )


def test_the_consent_page_shows_the_code_and_tells_a_late_decision(
    emulator: Emulator, wire: Wire, device: Device
) -> None:
    page = wire.get(wire.get(device.codes["verification_uri_complete"]).location)
    transaction = page.text.partition('name="transaction" value="')[2].partition('"')[0]
    path, fields = "/idb/oauth2/v1/authorize", {"transaction": transaction}
    consent = wire.get(wire.post(f"{path}/person", {**fields, "person": MIRA}).location)
    emulator.clock.advance(300)
    late = wire.post(f"{path}/decision", {**fields, "decision": "accept"})

    assert f"<strong>{device.codes['user_code']}</strong>" in consent.text
    assert "show me the callback" not in consent.text
    assert late.status == 400
    assert "The code of this device has expired" in late.text


def test_an_unknown_client_or_scope_gets_no_code(emulator: Emulator, wire: Wire) -> None:
    client_id = emulator.integration.client_id
    unknown, scope = begin(wire, "C656d756c61746f72"), begin(wire, client_id, "spark:bots_read")

    assert unknown.status == scope.status == 400
    assert unknown.json["errors"] == [{"description": "Client Id is invalid"}]
    assert unknown.json["message"].startswith("The request could not be understood")
    assert scope.json["message"] == "The requested scope is invalid."


def test_client_credentials_are_checked_where_they_are_sent(
    emulator: Emulator, wire: Wire, device: Device
) -> None:
    integration = emulator.integration
    fields = {"scope": "spark:people_read"}
    wrong = basic(integration, secret="emulator-wrong")
    by_header = wire.post("/v1/device/authorize", fields, Authorization=basic(integration))
    refused = wire.post("/v1/device/authorize", fields, Authorization=wrong)

    assert (by_header.status, refused.status) == (200, 401)
    assert device.poll(client_secret="emulator-wrong").status == 401


def test_another_client_cannot_take_the_tokens(emulator: Emulator, device: Device) -> None:
    other = emulator.register()
    stolen = device.poll(client_id=other.client_id, client_secret=other.client_secret)

    assert stolen.json["message"] == "invalid_grant"
    assert device.poll(grant_type="authorization_code").json["message"] == "unsupported_grant_type"
    assert device.poll().status == 428
