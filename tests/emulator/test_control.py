"""The control API arranges and shows things, for programs on this machine alone."""

import json
from typing import Any

import pytest
from emulator.wire import Wire, WireAnswer

from webex_oauth.emulator import Emulator, Origins, Person, RunningEmulator

JSON_HEADERS = {"Content-Type": "application/json"}
LOOPBACK = "http://localhost:8080/oauth"
REAL = {"client_id": "C" + "0123456789abcdef" * 4, "client_secret": "0123456789abcdef" * 4}


def send_json(wire: Wire, method: str, path: str, value: Any) -> WireAnswer:
    return wire.send(method, f"/_emulator{path}", json.dumps(value), JSON_HEADERS)


def test_the_clock_is_shown_and_moved(emulator: Emulator, wire: Wire) -> None:
    before = wire.get("/_emulator/clock").json["now"]

    advanced = send_json(wire, "POST", "/clock", {"advance_seconds": 1_000}).json["now"]
    put = send_json(wire, "POST", "/clock", {"set_to": 2_000_000_000}).json["now"]

    assert 1_000 <= advanced - before <= 1_005
    assert 2_000_000_000 <= put <= 2_000_000_005
    assert emulator.clock.now() >= put


def test_a_fault_is_put_shown_and_cleared(emulator: Emulator, wire: Wire) -> None:
    action = {"type": "answer", "status": 503, "text": "down", "headers": {"Retry-After": "5"}}

    shown = send_json(wire, "POST", "/faults", {"path": "/v1/rooms", "action": action})

    assert shown.json["items"][0]["action"] | action == shown.json["items"][0]["action"]
    assert wire.get("/v1/rooms").status == 503
    assert wire.send("DELETE", "/_emulator/faults").status == 204
    assert emulator.faults.rules == ()


def test_the_journal_is_shown_filtered_and_cleared(emulator: Emulator, wire: Wire) -> None:
    wire.get("/v1/rooms")
    wire.get("/v1/people/me")

    (entry,) = wire.get("/_emulator/journal?method=GET&path=/v1/r*").json["items"]

    assert (entry["path"], entry["status"]) == ("/v1/rooms", 401)
    assert wire.send("DELETE", "/_emulator/journal").status == 204
    assert emulator.journal.count() == 0


def test_options_are_shown_and_changed(emulator: Emulator, wire: Wire) -> None:
    changed = send_json(wire, "PATCH", "/options", {"refresh_mode": "rotate+grace"})

    assert changed.json == wire.get("/_emulator/options").json
    assert emulator.options.refresh_mode == "rotate+grace"


def test_an_integration_is_invented_and_works(wire: Wire) -> None:
    wanted = {"redirect_uris": ["http://localhost:9999/cb"], "scopes": ["spark:kms"]}

    registered = send_json(wire, "POST", "/integrations", wanted)

    client_id, redirect_uri = registered.json["client_id"], "http://localhost:9999/cb"
    fields = {"client_id": client_id, "redirect_uri": redirect_uri, "scope": "spark:kms"}
    assert registered.status == 201
    assert wire.authorize(wire.request_fields(**fields)).status == 200
    assert wire.get("/_emulator/integrations").json["items"][-1] == registered.json


def test_tokens_are_issued_without_consent_listed_and_withdrawn(
    emulator: Emulator, wire: Wire
) -> None:
    wanted = {"person": "Luca@acme.example", "scopes": ["spark:people_read"]}
    issued = send_json(wire, "POST", "/grants", wanted)
    other = send_json(wire, "POST", "/grants", {"person": "mira@acme.example"})
    listed = wire.get("/_emulator/grants").json["items"]
    before = wire.get("/v1/people/me", issued.json["access_token"])

    withdrawn = wire.send("DELETE", "/_emulator/grants?person=luca@acme.example")

    client_id = emulator.integration.client_id
    assert (issued.status, withdrawn.status) == (201, 204)
    assert listed[0] == {**wanted, "person": "luca@acme.example", "client_id": client_id}
    assert before.json["emails"] == ["luca@acme.example"]
    assert wire.get("/v1/people/me", issued.json["access_token"]).status == 401
    refresh = wire.token_fields("refresh_token", refresh_token=issued.json["refresh_token"])
    assert wire.post("/v1/access_token", refresh).status == 400
    assert wire.get("/v1/people/me", other.json["access_token"]).status == 200


def test_a_person_withdraws_from_one_integration_alone(emulator: Emulator, mira: Person) -> None:
    other = emulator.register()
    first, second = (
        emulator.grant_without_consent(mira, integration=one).access_token.value
        for one in (emulator.integration, other)
    )

    emulator.withdraw(mira, integration=other)
    assert [emulator.tokens.is_active(one) for one in (first, second)] == [True, False]
    emulator.withdraw(mira)
    assert not emulator.tokens.is_active(first)


def test_tokens_beyond_the_quota_are_refused_with_the_reason(
    emulator: Emulator, wire: Wire
) -> None:
    emulator.change_options(access_token_quota=1)
    statuses = [
        send_json(wire, "POST", "/grants", {"person": "mira@acme.example"}) for _ in range(2)
    ]

    assert [one.status for one in statuses] == [201, 400]
    assert "tokenlimit_reached" in statuses[1].json["message"]


def test_reset_forgets_what_was_arranged(emulator: Emulator, wire: Wire, token: str) -> None:
    emulator.change_options(requests_per_minute=1)
    emulator.clock.advance(1_000)

    assert wire.send("POST", "/_emulator/reset").status == 204

    assert emulator.options.requests_per_minute == 300
    assert not emulator.tokens.is_active(token)


@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("POST", "/clock", {"advance": 1}),
        ("POST", "/clock", {}),
        ("POST", "/clock", {"advance_seconds": -(10**11)}),
        ("POST", "/grants", {"person": "nobody@acme.example"}),
        ("POST", "/grants", {"person": "mira@acme.example", "client_id": "C1"}),
        ("DELETE", "/grants?person=nobody@acme.example", None),
        ("GET", "/journal?paht=/v1/rooms", None),
        ("PATCH", "/options", {"refresh_mode": "sometimes"}),
        ("POST", "/integrations", {"redirect_uris": ["http://localhost:99999/"], "scopes": []}),
        ("POST", "/integrations", {"redirect_uris": ["http:///oauth"], "scopes": []}),
        ("POST", "/integrations", {"redirect_uris": [LOOPBACK], "scopes": [], "name": "\n"}),
        ("POST", "/integrations", {"redirect_uris": [LOOPBACK], "scopes": [], "id": 1}),
        ("POST", "/integrations", {"redirect_uris": [LOOPBACK], "scopes": [], **REAL}),
    ],
)
def test_a_meaningless_request_is_400(wire: Wire, method: str, path: str, value: object) -> None:
    answer = send_json(wire, method, path, value)

    assert answer.status == 400
    assert answer.json["message"]


def test_malformed_json_is_400_and_a_form_415(wire: Wire) -> None:
    assert wire.send("POST", "/_emulator/clock", "{", JSON_HEADERS).status == 400
    assert wire.post("/_emulator/clock", {"advance_seconds": "1"}).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
    ],
)
def test_web_pages_are_refused(emulator: Emulator, wire: Wire, headers: dict[str, str]) -> None:
    emulator.change_options(requests_per_minute=7)

    answer = wire.send("POST", "/_emulator/reset", headers=headers)

    assert answer.status == 403
    assert emulator.options.requests_per_minute == 7


def test_a_control_token_is_required_if_there_is_one() -> None:
    with RunningEmulator(control_token="the token") as running:
        wire = Wire(running.emulator)
        statuses = [
            wire.send("GET", "/_emulator/clock", headers=headers).status
            for headers in (
                {},
                {"Emulator-Control-Token": "the token"},
                {"Emulator-Control-Token": "the tokem"},
            )
        ]

    assert statuses == [403, 200, 403]


def test_beyond_loopback_the_control_api_needs_a_token() -> None:
    with RunningEmulator() as running:
        beyond = Emulator(Origins.at("http://emulator.example:8090", "http://emulator.example"))
        running.emulator.front_door.mount("/beyond", beyond.front_door)

        answer = Wire(running.emulator).get("/beyond/_emulator/clock")

    assert answer.status == 403
    assert answer.json["message"].startswith("Beyond loopback")
