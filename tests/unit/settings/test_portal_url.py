"""AUTH_INIT_URL: where it leads, what it asks for, and nothing of it is lost."""

from urllib.parse import parse_qs, urlsplit

import pytest
from unit.settings.examples import CLIENT_SECRET, GOOD, mistakes, only_mistake, portal_url, warnings

from webex_oauth.oauth.authorization import authorization_url
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings

DOOR = "https://webexapis.com/v1/authorize"
BROKER = "/idb/oauth2/v1/authorize"


def moved(to: str) -> str:
    """Write the portal's URL with another address before the query."""
    return portal_url().replace(DOOR, to, 1)


def read(url: str) -> Settings:
    return Settings.from_env(None, {"AUTH_INIT_URL": url, "CLIENT_SECRET": CLIENT_SECRET})


def asked(url: str) -> dict[str, list[str]]:
    """Return the query with which a sign-in leads to Webex."""
    settings = read(url)
    built = authorization_url(
        settings.platform.server,
        settings.client,
        scopes=settings.scopes,
        state=Secret("s"),
        challenge="c",
    )
    return parse_qs(urlsplit(built).query, keep_blank_values=True, strict_parsing=True)


@pytest.mark.parametrize("region", ["", "-b-us", "-eu", "-ca", "-sg", "-in", "-ae", "-au"])
def test_the_brokers_address_becomes_the_front_doors(region: str) -> None:
    settings = read(moved(f"https://idbroker{region}.webex.com{BROKER}"))

    assert settings.platform.server.authorization_endpoint == DOOR
    assert settings.platform.is_production
    assert "identity broker" in settings.warnings[0]
    assert DOOR in settings.warnings[0]


@pytest.mark.parametrize(
    "address",
    [
        *(f"https://webexapis.com{path}" for path in ("", "/", "/authorize", "/v1/access_token")),
        *(f"https://webexapis.com{path}" for path in ("/V1/authorize", "/v1//authorize", BROKER)),
        *(f"https://idbroker.webex.com{path}" for path in ("/v1/oauth2/authorize", "/idb/UI")),
        f"https://idbroker-xx.webex.com{BROKER}",
        f"https://idbroker.webex.com.evil.example{BROKER}",
        f"https://idbroker.webex.com:8443{BROKER}",
        f"https://api-usgov.webex.com{BROKER}",
        f"http://127.0.0.1:8091{BROKER}",
    ],
)
def test_a_path_that_is_not_the_front_doors_is_told(address: str) -> None:
    (told,) = mistakes(AUTH_INIT_URL=moved(address))

    assert "leads to the path" in told
    assert "Developer Portal" in told


@pytest.mark.parametrize(
    "address",
    [DOOR, f"{DOOR}/", "HTTPS://WebexAPIs.COM/v1/authorize", DOOR.replace(".com", ".com:443")],
)
@pytest.mark.parametrize(
    "origin", ["", "https://webexapis.com", "https://webexapis.com/", "HTTPS://WebexAPIs.com:443"]
)
def test_spellings_of_one_origin_agree(address: str, origin: str) -> None:
    settings = Settings.from_env(
        None, GOOD | {"AUTH_INIT_URL": moved(address), "WEBEX_ORIGIN": origin}
    )

    assert settings.platform.server.authorization_endpoint == DOOR
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("copied", "named"),
    [
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://127.8.8.8:8090", "http://127.8.8.8:8090/"),
        ("http://[0:0:0:0:0:0:0:1]:8090", "http://[::1]:8090"),
    ],
)
def test_spellings_of_one_local_origin_agree(copied: str, named: str) -> None:
    url = moved(f"{copied}/v1/authorize")

    assert Settings.from_env(
        None, GOOD | {"AUTH_INIT_URL": url, "WEBEX_ORIGIN": named}
    ).platform.is_local


@pytest.mark.parametrize("broker", ["https://idbroker.webex.com", "https://idbroker-eu.webex.com/"])
def test_the_broker_is_no_front_door(broker: str) -> None:
    told = only_mistake(WEBEX_ORIGIN=broker)

    assert "is Webex's identity broker" in told
    assert "https://webexapis.com" in told


def test_two_origins_are_told() -> None:
    told = only_mistake(AUTH_INIT_URL=portal_url(), WEBEX_ORIGIN="https://api-usgov.webex.com")

    assert "differ" in told


def test_what_else_the_url_asks_for_goes_along_with_every_sign_in() -> None:
    query = asked(portal_url(prompt="select_account", login_hint="a+b@acme.example", max_age=""))

    assert query["prompt"] == ["select_account"]
    assert query["login_hint"] == ["a+b@acme.example"]
    assert query["max_age"] == [""]
    assert query["state"] == ["s"]
    assert query["redirect_uri"] == ["http://localhost:8080/oauth"]
    assert query["scope"] == ["spark:people_read spark:rooms_read"]
    assert all(len(values) == 1 for values in query.values())


@pytest.mark.parametrize(
    "name", ["code_challenge", "code_challenge_method", "nonce", "response_mode", "request_uri"]
)
def test_what_every_sign_in_has_of_its_own_is_told_and_not_sent(name: str) -> None:
    url = portal_url(**{name: "fixed"})

    assert "fixed" not in str(asked(url))
    (told,) = read(url).warnings
    assert told.startswith(f"AUTH_INIT_URL's {name} is not sent: ")


def test_a_state_that_is_not_the_portals_own_is_told() -> None:
    assert read(portal_url(state="mine")).warnings == (
        "AUTH_INIT_URL's state is not sent: every sign-in gets its own",
    )
    assert read(portal_url()).warnings == ()


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (f"{portal_url()}&scope=spark:all", "more than one 'scope'"),
        (f"{portal_url()}&prompt=none&prompt=login", "more than one 'prompt'"),
        (portal_url().replace("&", "&amp;"), "&amp;"),
        (f"{portal_url()}&client_secret=x", "'client_secret', which must not go through"),
        (f"{portal_url()}&access_token=x", "'access_token', which must not go through"),
        (f"{portal_url()}#here", "no fragment"),
        (portal_url().replace("https://", "https://me@"), "no user name"),
        (f"{portal_url()}&login_hint=%ff", "not percent-encoded UTF-8"),
        (portal_url().replace("&scope", "\n&scope"), "is not a URL"),
        (portal_url().replace("/v1", "\t/v1"), "is not a URL"),
    ],
)
def test_what_cannot_be_meant_is_told(url: str, part: str) -> None:
    assert any(part in told for told in mistakes(AUTH_INIT_URL=url))


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "https://api-usgov.webex.com",
            "https://api.ciscospark.com",
            "https://webexapis.com:8443",
        ),
        *("https://webexapis.com.evil.example", "https://localhost.evil.example"),
    ],
)
def test_a_webex_that_is_neither_known_nor_local_is_named_with_what_is_unknown(origin: str) -> None:
    (told,) = warnings(AUTH_INIT_URL=moved(f"{origin}/v1/authorize"))

    assert told.startswith(f"{origin} is a Webex that this program does not know.")
    assert "Where it revokes tokens is unknown" in told


@pytest.mark.parametrize(
    "origin", ["https://webexapis.com", "http://localhost:8090", "http://[::1]"]
)
def test_the_known_ones_are_not_warned_of(origin: str) -> None:
    assert warnings(WEBEX_ORIGIN=origin) == ()
