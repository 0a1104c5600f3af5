"""The sample's `.env`, ready to use."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from dotenv import dotenv_values

from webex_oauth.emulator import Randomness, new_integration, read_sample_env, sample_env

ORIGIN = "http://localhost:8090"


def read_back(redirect_uri: str) -> dict[str, str | None]:
    integration = new_integration(Randomness(1), redirect_uris=(redirect_uri,))
    return dotenv_values(stream=io.StringIO(sample_env(integration, ORIGIN)))


def test_the_text_has_the_samples_names_and_the_emulators_origin() -> None:
    values = read_back("http://localhost:8080/oauth")

    assert list(values) == ["WEBEX_ORIGIN", "AUTH_INIT_URL", "CLIENT_SECRET", "PORT"]
    assert values["WEBEX_ORIGIN"] == ORIGIN
    assert values["PORT"] == "8080"


def test_the_authorization_url_asks_for_what_is_registered() -> None:
    integration = new_integration(Randomness(1))

    url = str(read_back("http://localhost:8080/oauth")["AUTH_INIT_URL"])

    query = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{ORIGIN}/v1/authorize?")
    assert query["client_id"] == [integration.client_id]
    assert query["redirect_uri"] == ["http://localhost:8080/oauth"]
    assert query["scope"] == [" ".join(integration.scopes)]


def test_the_port_follows_the_redirect_uri() -> None:
    assert read_back("http://localhost:3000/cb")["PORT"] == "3000"
    assert read_back("http://localhost/cb")["PORT"] == "80"
    assert "PORT" not in read_back("https://app.example/cb")


def test_what_was_written_is_read_again() -> None:
    integration = new_integration(Randomness(1), redirect_uris=("http://localhost:3000/cb?a=b",))
    values = dotenv_values(stream=io.StringIO(sample_env(integration, ORIGIN)))

    assert read_sample_env(values) == (integration, ORIGIN)


@pytest.mark.parametrize(
    "change",
    [
        {"AUTH_INIT_URL": None},
        {"AUTH_INIT_URL": "https://webexapis.com/v1/authorize?client_id=C" + "a" * 64},
        {"AUTH_INIT_URL": "http://[::1"},
        {"CLIENT_SECRET": "0f9e" * 16},
        {"CLIENT_SECRET": None},
    ],
)
def test_an_integration_that_no_emulator_invented_is_not_read(
    change: dict[str, str | None],
) -> None:
    with pytest.raises(ValueError, match=r"emulator takes only|Invalid"):
        read_sample_env({**read_back("http://localhost:8080/oauth"), **change})
