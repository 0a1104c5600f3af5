"""The token and revocation endpoints at both origins, each with its own error bodies."""

from typing import Any
from urllib.parse import urlencode

import pytest
from emulator.conftest import code_of
from emulator.wire import FORM, Wire, basic

from webex_oauth.emulator import Emulator, Person
from webex_oauth.emulator.endpoints.wire import JSON_TYPE

GATEWAY = "/v1/access_token"
BROKER = "/idb/oauth2/v1/access_token"
REVOCATIONS = ["/v1/revoke", "/idb/oauth2/v1/revoke"]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
BAD_REFRESH_TOKEN = "The refresh token provided is expired, revoked, malformed, or invalid."


def message_of(body: dict[str, Any]) -> str:
    assert body["errors"] == [{"description": body["message"]}]
    assert body["trackingId"].startswith("ROUTER_")
    return str(body["message"])


def sign_in(emulator: Emulator, fields: dict[str, str]) -> str:
    return code_of(f"{emulator.origin}/v1/authorize?{urlencode(fields)}")


@pytest.fixture
def refresh_fields(emulator: Emulator, wire: Wire, mira: Person) -> dict[str, str]:
    tokens = emulator.grant_without_consent(mira)
    assert tokens.refresh_token
    return wire.token_fields("refresh_token", refresh_token=tokens.refresh_token.value)


@pytest.mark.parametrize("path", [GATEWAY, BROKER])
def test_a_code_becomes_tokens(wire: Wire, code: str, path: str) -> None:
    answer = wire.post(path, wire.code_fields(code, self_contained_token="true"))

    assert answer.status == 200
    assert answer.headers["Content-Type"] == JSON_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: value for name, value in answer.json.items() if not name.endswith("_token")} == {
        "expires_in": 1_209_599,
        "refresh_token_expires_in": 7_775_999,
        "token_type": "Bearer",
        "scope": "spark:people_read spark:rooms_read spark:kms",
    }
    assert wire.get("/v1/people/me", answer.json["access_token"]).status == 200


def test_an_omitted_refresh_token_takes_its_lifetime_with_it_and_stays_valid(
    emulator: Emulator, wire: Wire, refresh_fields: dict[str, str]
) -> None:
    emulator.change_options(is_refresh_token_omitted_on_refresh=True)

    for _ in range(2):
        answer = wire.post(GATEWAY, refresh_fields).json
        assert sorted(answer) == ["access_token", "expires_in", "scope", "token_type"]


def test_the_client_may_authenticate_by_basic(emulator: Emulator, wire: Wire, code: str) -> None:
    fields = wire.code_fields(code)
    del fields["client_secret"]

    answer = wire.post(GATEWAY, fields, Authorization=basic(emulator.integration))

    (entry,) = emulator.journal.wait_for("POST", GATEWAY)
    assert answer.status == 200
    assert "client_authenticated:basic" in entry.notes


def test_each_origin_answers_errors_in_its_own_style(wire: Wire) -> None:
    fields = wire.token_fields("refresh_token", refresh_token="unknown")

    gateway = wire.post(GATEWAY, fields)
    broker = wire.post(BROKER, fields, TrackingID="CLIENT_1")

    assert (gateway.status, broker.status) == (400, 400)
    assert message_of(gateway.json) == BAD_REFRESH_TOKEN
    assert broker.json == {
        "error": "invalid_request",
        "error_description": BAD_REFRESH_TOKEN,
        "trackingID": "CLIENT_1",
    }


@pytest.mark.parametrize("status", [400, 401])
def test_a_wrong_secret_has_a_status_of_its_own(
    emulator: Emulator, wire: Wire, status: int
) -> None:
    emulator.change_options(wrong_secret_status=status)
    fields = {**wire.token_fields("refresh_token"), "client_secret": "emulator-wrong"}

    assert wire.post(GATEWAY, fields).status == status


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_secret": ""}, "client_secret cannot be null or empty"),
        ({"grant_type": ""}, "grant_type cannot be null or empty"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": ""}, "code cannot be null or empty"),
        ({"code": "unknown"}, "The authorization code is unknown."),
    ],
)
def test_each_fault_of_a_token_request_is_told(
    wire: Wire, changes: dict[str, str], words: str
) -> None:
    answer = wire.post(GATEWAY, {**wire.code_fields("a code"), **changes})

    assert answer.status == 400
    assert message_of(answer.json) == words


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", "{}", 415),
        ("text/plain", "{}", 415),
        (FORM, "grant_type=a&grant_type=b", 400),
        (FORM, "a=%FF", 400),
        (FORM, "&a=1" * 101, 400),
        (FORM, "a=" + "x" * 300_000, 413),
    ],
)
def test_only_a_well_formed_form_is_read(
    wire: Wire, content_type: str, body: str, status: int
) -> None:
    answer = wire.send("POST", GATEWAY, body.encode(), {"Content-Type": content_type})

    assert answer.status == status


@pytest.mark.parametrize(("is_revoking", "status"), [(False, 200), (True, 401)])
def test_a_used_code_is_refused_and_its_tokens_stay_or_go_with_it(
    emulator: Emulator, wire: Wire, code: str, *, is_revoking: bool, status: int
) -> None:
    emulator.change_options(code_reuse_revokes_tokens=is_revoking)
    token = wire.post(GATEWAY, wire.code_fields(code)).json["access_token"]

    assert wire.post(GATEWAY, wire.code_fields(code)).status == 400
    assert wire.get("/v1/people/me", token).status == status


def test_the_scope_can_be_left_out(emulator: Emulator, wire: Wire, code: str) -> None:
    emulator.change_options(is_scope_in_answer=False)

    assert "scope" not in wire.post(GATEWAY, wire.code_fields(code)).json


@pytest.mark.parametrize("path", REVOCATIONS)
def test_a_revoked_access_token_opens_nothing(
    emulator: Emulator, wire: Wire, token: str, path: str
) -> None:
    fields = {"token": token, "token_type_hint": "access_token"}

    answer = wire.post(path, fields, Authorization=basic(emulator.integration))

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == JSON_TYPE
    assert wire.get("/v1/people/me", token).status == 401


def test_an_unknown_token_is_as_good_as_a_revoked_one_with_the_chosen_status(
    emulator: Emulator, wire: Wire
) -> None:
    fields = wire.token_fields("", token="unknown")

    assert wire.post("/v1/revoke", fields).status == 200
    emulator.change_options(revoke_status=204)
    assert wire.post("/v1/revoke", fields).status == 204


def test_another_client_cannot_revoke(emulator: Emulator, wire: Wire, token: str) -> None:
    other = emulator.register("http://localhost:9999/cb")

    answer = wire.post("/v1/revoke", {"token": token}, Authorization=basic(other))

    assert answer.status == 200
    assert wire.get("/v1/people/me", token).status == 200


def test_a_revocation_needs_a_token_and_a_client(emulator: Emulator, wire: Wire) -> None:
    unproven = wire.post("/v1/revoke", {"token": "a", "client_id": emulator.integration.client_id})
    without_token = wire.post("/idb/oauth2/v1/revoke", wire.token_fields(""))

    assert unproven.json["message"] == "client_secret cannot be null or empty"
    assert without_token.json["error_description"] == "token cannot be null or empty"


def test_a_token_describes_and_revokes_itself(emulator: Emulator, wire: Wire, token: str) -> None:
    path = "/idb/oauth2/v1/tokens/me"
    bearer = {"Authorization": f"Bearer {token}"}

    (described,) = wire.get(path, token).json["data"]
    deleted = wire.send("DELETE", f"{path}?authtoken=true", headers=bearer)

    assert described["client_id"] == emulator.integration.client_id
    assert described["oauth2scope"] == list(emulator.integration.scopes)
    assert described["expires_in"] == 1_209_599
    assert deleted.status == 204
    assert wire.get(path, token).status == 401
