"""Revocation: what is taken back, and by whom."""

import pytest
from emulator.wire import Wire, basic

from webex_oauth.emulator import Emulator, Person

PATHS = ["/v1/revoke", "/idb/oauth2/v1/revoke"]


@pytest.mark.parametrize("path", PATHS)
def test_a_revoked_access_token_opens_nothing(
    emulator: Emulator, wire: Wire, token: str, path: str
) -> None:
    fields = {"token": token, "token_type_hint": "access_token"}

    answer = wire.post(path, fields, Authorization=basic(emulator.integration))

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert wire.get("/v1/people/me", token).status == 401


def test_a_revoked_refresh_token_takes_its_access_tokens_along(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    tokens = emulator.grant_without_consent(mira)
    assert tokens.refresh_token
    fields = wire.token_fields("", token=tokens.refresh_token.value)

    assert wire.post("/v1/revoke", fields).status == 200
    assert wire.get("/v1/people/me", tokens.access_token.value).status == 401


def test_an_unknown_token_is_as_good_as_a_revoked_one(wire: Wire) -> None:
    assert wire.post("/v1/revoke", wire.token_fields("", token="unknown")).status == 200


def test_another_client_cannot_revoke(emulator: Emulator, wire: Wire, token: str) -> None:
    other = emulator.register("http://localhost:9999/cb")

    answer = wire.post("/v1/revoke", {"token": token}, Authorization=basic(other))

    assert answer.status == 200
    assert wire.get("/v1/people/me", token).status == 200
    emulator.integrations.remove(other.client_id)


def test_who_revokes_must_say_what_and_prove_who(emulator: Emulator, wire: Wire) -> None:
    unproven = wire.post("/v1/revoke", {"token": "a", "client_id": emulator.integration.client_id})
    without_token = wire.post("/idb/oauth2/v1/revoke", wire.token_fields(""))

    assert unproven.json["message"] == "client_secret cannot be null or empty"
    assert without_token.json["error_description"] == "token cannot be null or empty"


def test_the_status_of_a_revocation_can_be_chosen(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(revoke_status=204)

    assert wire.post("/v1/revoke", wire.token_fields("", token="a")).status == 204


def test_a_token_describes_and_revokes_itself(emulator: Emulator, wire: Wire, token: str) -> None:
    path = "/idb/oauth2/v1/tokens/me"

    (described,) = wire.get(path, token).json["data"]
    deleted = wire.send(
        "DELETE", f"{path}?authtoken=true", headers={"Authorization": f"Bearer {token}"}
    )

    assert described["client_id"] == emulator.integration.client_id
    assert described["oauth2scope"] == list(emulator.integration.scopes)
    assert described["expires_in"] == 1_209_599
    assert deleted.status == 204
    assert wire.get(path, token).status == 401
