"""The token endpoint at both of its paths, with both of its error shapes."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from emulator.wire import FORM, Wire, basic

from webex_oauth.emulator import Emulator, Integration, Person, Visitor
from webex_oauth.emulator.endpoints.wire import JSON_TYPE

GATEWAY = "/v1/access_token"
BROKER = "/idb/oauth2/v1/access_token"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def message_of(body: dict[str, Any]) -> str:
    assert body["errors"] == [{"description": body["message"]}]
    assert body["trackingId"].startswith("ROUTER_")
    return str(body["message"])


@pytest.mark.parametrize("path", [GATEWAY, BROKER])
def test_a_code_becomes_tokens(wire: Wire, code: str, path: str) -> None:
    answer = wire.post(path, wire.code_fields(code))

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


def test_unknown_fields_are_ignored(wire: Wire, code: str) -> None:
    fields = wire.code_fields(code, self_contained_token="true", user_info="{}")

    assert wire.post(GATEWAY, fields).status == 200


def test_a_refresh_token_becomes_tokens(wire: Wire, code: str) -> None:
    first = wire.post(GATEWAY, wire.code_fields(code)).json
    fields = wire.token_fields("refresh_token", refresh_token=first["refresh_token"])

    second = wire.post(GATEWAY, fields).json

    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]


def test_an_omitted_refresh_token_takes_its_lifetime_along(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    emulator.change_options(is_refresh_token_omitted_on_refresh=True)
    tokens = emulator.grant_without_consent(mira)
    assert tokens.refresh_token
    fields = wire.token_fields("refresh_token", refresh_token=tokens.refresh_token.value)

    answer = wire.post(GATEWAY, fields).json

    assert sorted(answer) == ["access_token", "expires_in", "scope", "token_type"]


def test_the_client_may_authenticate_by_basic(emulator: Emulator, wire: Wire, code: str) -> None:
    fields = wire.code_fields(code)
    del fields["client_secret"]

    answer = wire.post(GATEWAY, fields, Authorization=basic(emulator.integration))

    (entry,) = emulator.journal.wait_for("POST", GATEWAY)
    assert answer.status == 200
    assert "client_authenticated:basic" in entry.notes


def test_a_proof_key_is_verified_and_noted(emulator: Emulator, wire: Wire) -> None:
    fields = wire.request_fields(code_challenge=CHALLENGE, code_challenge_method="S256")
    code = sign_in(emulator, fields)

    answer = wire.post(GATEWAY, wire.code_fields(code, code_verifier=VERIFIER))

    (entry,) = emulator.journal.wait_for("POST", GATEWAY)
    assert answer.status == 200
    assert "pkce_verified" in entry.notes


def test_a_wrong_verifier_is_refused(emulator: Emulator, wire: Wire) -> None:
    fields = wire.request_fields(code_challenge=CHALLENGE, code_challenge_method="S256")
    code = sign_in(emulator, fields)

    answer = wire.post(GATEWAY, wire.code_fields(code, code_verifier="x" * 43))

    (entry,) = emulator.journal.wait_for("POST", GATEWAY)
    assert answer.status == 400
    assert "pkce_verified" not in entry.notes


def test_the_front_door_answers_errors_in_its_shape(wire: Wire) -> None:
    fields = wire.token_fields("refresh_token", refresh_token="unknown")

    answer = wire.post(GATEWAY, fields)

    assert answer.status == 400
    assert message_of(answer.json) == (
        "The refresh token provided is expired, revoked, malformed, or invalid."
    )


def test_the_broker_answers_errors_in_its_shape(wire: Wire) -> None:
    fields = wire.token_fields("refresh_token", refresh_token="unknown")

    answer = wire.post(BROKER, fields, TrackingID="CLIENT_1")

    assert answer.status == 400
    assert answer.json == {
        "error": "invalid_request",
        "error_description": (
            "The refresh token provided is expired, revoked, malformed, or invalid."
        ),
        "trackingID": "CLIENT_1",
    }


@pytest.mark.parametrize(("shape", "name"), [("gateway", "message"), ("broker", "error")])
def test_the_shape_can_be_chosen(emulator: Emulator, wire: Wire, shape: str, name: str) -> None:
    emulator.change_options(error_shape=shape)

    for path in (GATEWAY, BROKER):
        assert name in wire.post(path, wire.token_fields("unknown")).json


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
        ({"client_id": ""}, "client_id cannot be null or empty"),
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


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_only_forms_are_taken(wire: Wire, content_type: str) -> None:
    answer = wire.send("POST", GATEWAY, "{}", {"Content-Type": content_type})

    assert answer.status == 415


@pytest.mark.parametrize("body", ["grant_type=a&grant_type=b", "a=%FF", "é=1", "&a=1" * 101])
def test_a_malformed_form_is_refused(wire: Wire, body: str) -> None:
    answer = wire.send("POST", GATEWAY, body.encode(), {"Content-Type": FORM})

    assert answer.status == 400


def test_an_endless_form_is_cut_off(wire: Wire) -> None:
    answer = wire.send("POST", GATEWAY, b"a=" + b"x" * 300_000, {"Content-Type": FORM})

    assert answer.status == 413


def test_a_used_code_is_refused_and_its_tokens_stay(wire: Wire, code: str) -> None:
    token = wire.post(GATEWAY, wire.code_fields(code)).json["access_token"]

    assert wire.post(GATEWAY, wire.code_fields(code)).status == 400
    assert wire.get("/v1/people/me", token).status == 200


def test_a_used_code_can_take_its_tokens_along(emulator: Emulator, wire: Wire, code: str) -> None:
    emulator.change_options(code_reuse_revokes_tokens=True)
    token = wire.post(GATEWAY, wire.code_fields(code)).json["access_token"]

    assert wire.post(GATEWAY, wire.code_fields(code)).status == 400
    assert wire.get("/v1/people/me", token).status == 401


def test_fewer_scopes_can_be_granted_than_asked(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(granted_scopes=["spark:rooms_read"])
    code = sign_in(emulator, wire.request_fields())

    answer = wire.post(GATEWAY, wire.code_fields(code)).json

    assert answer["scope"] == "spark:rooms_read"
    assert wire.get("/v1/people/me", answer["access_token"]).status == 403


def test_the_scope_can_be_left_out(emulator: Emulator, wire: Wire, code: str) -> None:
    emulator.change_options(is_scope_in_answer=False)

    assert "scope" not in wire.post(GATEWAY, wire.code_fields(code)).json


def test_a_full_quota_is_told(emulator: Emulator, wire: Wire, mira: Person, code: str) -> None:
    emulator.change_options(access_token_quota=1)
    emulator.grant_without_consent(mira)

    answer = wire.post(BROKER, wire.code_fields(code))

    assert (answer.status, answer.json["error"]) == (400, "tokenlimit_reached")


def test_a_get_is_not_allowed(wire: Wire) -> None:
    answer = wire.get(GATEWAY)

    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


def test_a_real_integration_is_refused_with_a_warning(wire: Wire) -> None:
    real = Integration("C" + "0123456789abcdef" * 4, "0123456789abcdef" * 4)
    fields = wire.token_fields("refresh_token", refresh_token="x")
    fields |= {"client_id": real.client_id, "client_secret": real.client_secret}

    answer = wire.post(GATEWAY, fields)

    assert answer.status == 401
    assert "Never send it the credentials of a real integration" in message_of(answer.json)


def sign_in(emulator: Emulator, fields: dict[str, str]) -> str:
    url = f"{emulator.origin}/v1/authorize?{urlencode(fields)}"
    callback = Visitor().sign_in(url, "mira@acme.example")
    return dict(parse_qsl(urlsplit(callback).query))["code"]
