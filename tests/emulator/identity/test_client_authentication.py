"""Clients prove themselves in the form or by Basic, in one way at a time."""

import base64
from urllib.parse import quote_plus

import pytest

from webex_oauth.emulator import Integration, Randomness, new_integration
from webex_oauth.emulator.endpoints.token import authenticate
from webex_oauth.emulator.identity.authorization import OAuthRefusal
from webex_oauth.emulator.identity.integrations import IntegrationRegistry

CLIENT = Integration("C656d756c61746f72" + "0" * 48, "emulator-: % + / é")
OTHER = new_integration(Randomness(1))
REGISTRY = IntegrationRegistry([CLIENT, OTHER])
FORM = {"client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_a_secret_in_the_form_is_proof() -> None:
    assert authenticate(REGISTRY, None, FORM) == (CLIENT, "form")


@pytest.mark.parametrize("secret", [CLIENT.client_secret, quote_plus(CLIENT.client_secret)])
def test_a_secret_by_basic_is_proof_raw_and_encoded(secret: str) -> None:
    assert authenticate(REGISTRY, basic(CLIENT.client_id, secret), {}) == (CLIENT, "basic")


def test_basic_may_come_with_the_same_client_id_in_the_form() -> None:
    authorization = basic(CLIENT.client_id, CLIENT.client_secret)

    form = {"client_id": CLIENT.client_id}

    assert authenticate(REGISTRY, authorization, form) == (CLIENT, "basic")


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
@pytest.mark.parametrize("left", ["", None])
def test_a_missing_credential_is_named(missing: str, left: str | None) -> None:
    sent = {**FORM, missing: left}
    form = {name: value for name, value in sent.items() if value is not None}

    with pytest.raises(OAuthRefusal) as refusal:
        authenticate(REGISTRY, None, form)

    assert refusal.value.status == 400
    assert refusal.value.description == f"{missing} cannot be null or empty"


@pytest.mark.parametrize(
    "authorization",
    [
        basic(CLIENT.client_id, "emulator-wrong"),
        basic(CLIENT.client_id, OTHER.client_secret),
        basic("C656d756c61746f72" + "f" * 48, CLIENT.client_secret),
        "Basic ????",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Bearer " + base64.b64encode(b"a:b").decode(),
        "Basic",
        "",
    ],
)
def test_wrong_or_malformed_credentials_are_401(authorization: str) -> None:
    with pytest.raises(OAuthRefusal) as refusal:
        authenticate(REGISTRY, authorization, {})

    assert (refusal.value.error, refusal.value.status) == ("invalid_client", 401)


def test_two_ways_at_once_are_refused() -> None:
    authorization = basic(CLIENT.client_id, CLIENT.client_secret)

    with pytest.raises(OAuthRefusal, match="invalid_request"):
        authenticate(REGISTRY, authorization, FORM)


def test_two_client_ids_that_differ_are_refused() -> None:
    authorization = basic(CLIENT.client_id, CLIENT.client_secret)

    with pytest.raises(OAuthRefusal, match="differ"):
        authenticate(REGISTRY, authorization, {"client_id": OTHER.client_id})


def test_the_credentials_of_a_real_integration_are_refused_with_a_warning() -> None:
    form = {"client_id": "C" + "0123456789abcdef" * 4, "client_secret": "0123456789abcdef" * 4}

    with pytest.raises(OAuthRefusal, match="Never send it the credentials") as refusal:
        authenticate(REGISTRY, None, form)

    assert refusal.value.status == 401
    assert form["client_secret"] not in refusal.value.description
