"""Integrations are invented with a mark, and only marked ones are taken."""

import re

import pytest

from webex_oauth.emulator import Integration, Randomness, new_integration
from webex_oauth.emulator.identity.integrations import (
    ForeignIntegration,
    IntegrationRegistry,
    MalformedIntegration,
)


def test_an_invented_integration_looks_like_one_of_webex_and_carries_the_mark() -> None:
    integration = new_integration(Randomness())

    assert re.fullmatch(r"C656d756c61746f72[0-9a-f]{48}", integration.client_id)
    assert re.fullmatch(r"emulator-[0-9a-f]{64}", integration.client_secret)


def test_a_secret_is_not_shown_by_repr() -> None:
    integration = new_integration(Randomness())

    assert integration.client_secret not in repr(integration)


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [
        ("C" + "0123456789abcdef" * 4, "emulator-" + "0" * 64),
        ("C656d756c61746f72" + "0" * 48, "0123456789abcdef" * 4),
        ("C656d756c61746f72" + "0" * 47, "emulator-0"),
        ("C656d756c61746f72" + "0" * 48 + "\n", "emulator-0"),
    ],
    ids=["a real id", "a real secret", "too short", "trailing line end"],
)
def test_what_could_be_real_is_not_registered(client_id: str, client_secret: str) -> None:
    registry = IntegrationRegistry()

    with pytest.raises(ForeignIntegration, match="never give it a real one") as refusal:
        registry.register(Integration(client_id, client_secret))

    assert client_secret not in str(refusal.value)
    assert list(registry) == []


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "/oauth",
        "localhost",
        "http://localhost/cb#part",
        "http://localhost/c b",
        "http://localhost/\r\nSet-Cookie: a=b",
        "http://localhost/é",
        'http://localhost/"><b>',
        "javascript:alert(1)",
        "",
    ],
)
def test_a_redirect_uri_that_cannot_be_is_not_registered(redirect_uri: str) -> None:
    registry = IntegrationRegistry()

    with pytest.raises(MalformedIntegration):
        registry.register(new_integration(Randomness(), redirect_uris=(redirect_uri,)))


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://app.example/cb?a=b&c=%20",
        "http://[::1]:8080/",
        "aperio://done",
        "com.example.app:/cb",
    ],
)
def test_redirect_uris_of_every_lawful_kind_are_registered(redirect_uri: str) -> None:
    integration = new_integration(Randomness(), redirect_uris=(redirect_uri,))

    assert list(IntegrationRegistry([integration])) == [integration]


def test_an_integration_needs_a_redirect_uri_and_scopes_that_are_names() -> None:
    without, spaced = (
        new_integration(Randomness(), redirect_uris=()),
        new_integration(Randomness(), scopes=("spark:kms spark:all",)),
    )

    for integration in (without, spaced):
        with pytest.raises(MalformedIntegration):
            IntegrationRegistry([integration])


def test_a_secret_may_hold_any_character() -> None:
    secret = "emulator-: % + / é"
    integration = Integration("C656d756c61746f72" + "0" * 48, secret)

    assert IntegrationRegistry([integration]).find(integration.client_id) == integration
    assert integration.is_secret(secret)
    assert not any(map(integration.is_secret, [secret + "x", "", secret.upper()]))


def test_a_removed_integration_is_not_found() -> None:
    integration = new_integration(Randomness())
    registry = IntegrationRegistry([integration])

    registry.remove(integration.client_id)

    assert registry.find(integration.client_id) is None
