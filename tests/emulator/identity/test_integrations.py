"""Integrations: only those that carry the emulator's mark are accepted, authenticated and read."""

import base64
import io
import re
from urllib.parse import quote_plus

import pytest
from dotenv import dotenv_values

from webex_oauth.emulator import (
    Integration,
    Randomness,
    new_integration,
    read_sample_env,
    sample_env,
)
from webex_oauth.emulator.endpoints.token import authenticate
from webex_oauth.emulator.identity import OAuthRefusal
from webex_oauth.emulator.identity.integrations import IntegrationRegistry

ORIGIN = "http://localhost:8090"
REDIRECT_URI = "http://localhost:8080/oauth"
MARKED_ID = "C656d756c61746f72" + "0" * 48
REAL_ID, REAL_SECRET = "C" + "0123456789abcdef" * 4, "0123456789abcdef" * 4
CLIENT = Integration(MARKED_ID, "emulator-: % + / é")
OTHER = new_integration(Randomness(1))
REGISTRY = IntegrationRegistry([CLIENT, OTHER])
FORM = {"client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def read_back(redirect_uri: str) -> dict[str, str | None]:
    integration = new_integration(Randomness(1), redirect_uris=(redirect_uri,))
    return dotenv_values(stream=io.StringIO(sample_env(integration, ORIGIN)))


def test_an_invented_integration_looks_like_one_of_webex_and_carries_the_mark() -> None:
    integration = new_integration(Randomness())

    assert re.fullmatch(r"C656d756c61746f72[0-9a-f]{48}", integration.client_id)
    assert re.fullmatch(r"emulator-[0-9a-f]{64}", integration.client_secret)
    assert integration.client_secret not in repr(integration)


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [
        (REAL_ID, "emulator-" + "0" * 64),
        (MARKED_ID, REAL_SECRET),
        (MARKED_ID[:-1], "emulator-0"),
        (MARKED_ID + "\n", "emulator-0"),
    ],
    ids=["a real id", "a real secret", "too short", "trailing line end"],
)
def test_what_could_be_real_is_not_registered(client_id: str, client_secret: str) -> None:
    registry = IntegrationRegistry()

    with pytest.raises(ValueError, match="never give it a real one") as refusal:
        registry.register(Integration(client_id, client_secret))

    assert client_secret not in str(refusal.value)
    assert list(registry) == []


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "/oauth",
        "http://localhost/cb#part",
        "http://localhost/c b",
        "http://localhost/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_impossible_redirect_uri_is_not_registered(redirect_uri: str) -> None:
    with pytest.raises(ValueError, match="cannot be a redirect URI"):
        REGISTRY.register(new_integration(Randomness(), redirect_uris=(redirect_uri,)))


@pytest.mark.parametrize("parts", [{"redirect_uris": ()}, {"scopes": ("spark:kms spark:all",)}])
def test_an_integration_needs_a_redirect_uri_and_scopes_that_are_names(
    parts: dict[str, tuple[str, ...]],
) -> None:
    with pytest.raises(ValueError, match=r"needs a redirect URI|cannot be a scope"):
        REGISTRY.register(new_integration(Randomness(), **parts))  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("secret", [CLIENT.client_secret, quote_plus(CLIENT.client_secret)])
@pytest.mark.parametrize("form", [{}, {"client_id": CLIENT.client_id}])
def test_a_secret_by_basic_is_proof_raw_and_encoded(secret: str, form: dict[str, str]) -> None:
    assert authenticate(REGISTRY, basic(CLIENT.client_id, secret), form) == (CLIENT, "basic")


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
@pytest.mark.parametrize("left", [{}, {"client_id": "", "client_secret": ""}])
def test_a_missing_credential_is_named(missing: str, left: dict[str, str]) -> None:
    sent = {name: value for name, value in FORM.items() if name != missing}

    with pytest.raises(OAuthRefusal) as refusal:
        authenticate(REGISTRY, None, {**left, **sent})

    assert refusal.value.status == 400
    assert refusal.value.description == f"{missing} cannot be null or empty"


@pytest.mark.parametrize(
    "authorization",
    [
        basic(CLIENT.client_id, "emulator-wrong"),
        basic(CLIENT.client_id, OTHER.client_secret),
        "Basic ????",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Bearer " + base64.b64encode(b"a:b").decode(),
    ],
)
def test_wrong_or_malformed_credentials_are_401(authorization: str) -> None:
    with pytest.raises(OAuthRefusal) as refusal:
        authenticate(REGISTRY, authorization, {})

    assert (refusal.value.error, refusal.value.status) == ("invalid_client", 401)


@pytest.mark.parametrize(
    ("form", "words"), [(FORM, "two ways"), ({"client_id": OTHER.client_id}, "differ")]
)
def test_a_client_that_contradicts_itself_is_refused(form: dict[str, str], words: str) -> None:
    authorization = basic(CLIENT.client_id, CLIENT.client_secret)

    with pytest.raises(OAuthRefusal, match=f"invalid_request: .*{words}"):
        authenticate(REGISTRY, authorization, form)


def test_the_credentials_of_a_real_integration_are_refused_with_a_warning() -> None:
    form = {"client_id": REAL_ID, "client_secret": REAL_SECRET}

    with pytest.raises(OAuthRefusal, match="Never send it the credentials") as refusal:
        authenticate(REGISTRY, None, form)

    assert refusal.value.status == 401
    assert REAL_SECRET not in refusal.value.description


@pytest.mark.parametrize(
    ("redirect_uri", "port"),
    [
        ("http://localhost:3000/cb", "3000"),
        ("http://localhost/cb", "80"),
        ("https://app.example/cb", None),
    ],
)
def test_the_port_of_a_sample_env_follows_the_redirect_uri(
    redirect_uri: str, port: str | None
) -> None:
    assert read_back(redirect_uri).get("PORT") == port


def test_a_sample_env_is_read_again() -> None:
    integration = new_integration(Randomness(1), redirect_uris=("http://localhost:3000/cb?a=b",))
    values = dotenv_values(stream=io.StringIO(sample_env(integration, ORIGIN)))

    assert list(values) == ["WEBEX_ORIGIN", "AUTH_INIT_URL", "CLIENT_SECRET", "PORT"]
    assert str(values["AUTH_INIT_URL"]).startswith(f"{ORIGIN}/v1/authorize?")
    assert read_sample_env(values) == (integration, ORIGIN)


@pytest.mark.parametrize(
    "change",
    [
        {"AUTH_INIT_URL": None},
        {"AUTH_INIT_URL": f"https://webexapis.com/v1/authorize?client_id={REAL_ID}"},
        {"AUTH_INIT_URL": "http://[::1"},
        {"CLIENT_SECRET": REAL_SECRET},
        {"CLIENT_SECRET": None},
    ],
)
def test_an_integration_that_no_emulator_invented_is_not_read(
    change: dict[str, str | None],
) -> None:
    with pytest.raises(ValueError, match=r"emulator takes only|Invalid"):
        read_sample_env({**read_back(REDIRECT_URI), **change})
