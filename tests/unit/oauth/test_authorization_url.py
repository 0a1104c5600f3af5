"""The authorization request (RFC 6749 section 4.1.1)."""

from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st

from webex_oauth.oauth.authorization import authorization_url
from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.secret import Secret

SERVER = AuthorizationServer(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
)
CLIENT = Client("s6BhdRkqt3", Secret("gX1fBat3bV"), "https://client.example.com/cb")


def url(server: AuthorizationServer = SERVER, **changes: object) -> str:
    request: dict[str, object] = {"scopes": ["a", "b"], "state": Secret("xyz"), "challenge": "E9M"}
    return authorization_url(server, CLIENT, **{**request, **changes})  # type: ignore[arg-type]  # one place for many calls


def test_the_url_asks_for_a_code_with_every_parameter_once() -> None:
    asked = parse_qs(urlsplit(url()).query, strict_parsing=True)

    assert asked == {
        "response_type": ["code"],
        "client_id": ["s6BhdRkqt3"],
        "redirect_uri": ["https://client.example.com/cb"],
        "scope": ["a b"],
        "state": ["xyz"],
        "code_challenge": ["E9M"],
        "code_challenge_method": ["S256"],
    }


def test_spaces_are_percent_encoded() -> None:
    assert "scope=a%20b&" in url()
    assert "+" not in url()


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        ("https://as.example/authorize", "https://as.example/authorize?response_type="),
        ("https://as.example/authorize?", "https://as.example/authorize?response_type="),
        ("https://as.example/a?tenant=1", "https://as.example/a?tenant=1&response_type="),
        ("https://as.example/a?tenant=1&", "https://as.example/a?tenant=1&response_type="),
    ],
)
def test_a_query_of_the_endpoint_is_kept(endpoint: str, start: str) -> None:
    assert url(replace(SERVER, authorization_endpoint=endpoint)).startswith(start)


def test_the_client_secret_is_not_in_the_url() -> None:
    assert "gX1fBat3bV" not in url()


def test_extra_parameters_are_sent() -> None:
    asked = parse_qs(urlsplit(url(extra={"nonce": "n", "prompt": "none"})).query)

    assert asked["nonce"] == ["n"]
    assert asked["prompt"] == ["none"]


@pytest.mark.parametrize("name", ["state", "redirect_uri", "code_challenge_method", "scope"])
def test_extra_parameters_cannot_replace_those_of_the_request(name: str) -> None:
    with pytest.raises(ValueError, match="may not replace"):
        url(extra={name: "evil"})


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters=" "), min_size=1), min_size=1),
    st.text(min_size=1),
    st.dictionaries(st.sampled_from(["nonce", "prompt", "login_hint"]), st.text(min_size=1)),
)
def test_whatever_is_asked_arrives_as_it_was_asked(
    scopes: list[str], state: str, extra: dict[str, str]
) -> None:
    query = urlsplit(url(scopes=scopes, state=Secret(state), extra=extra)).query

    asked = dict(parse_qsl(query, strict_parsing=True))
    assert asked["scope"] == " ".join(scopes)
    assert asked["state"] == state
    assert asked.items() >= extra.items()
