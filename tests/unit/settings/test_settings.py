"""Settings: mistakes come all at once, each with its remedy; what is odd is warned of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from unit.settings.examples import (
    CLIENT_SECRET,
    GOOD,
    REAL_ID,
    REDIRECT_URI,
    mistakes,
    only_mistake,
    only_warning,
    portal_url,
    warnings,
)

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.settings import NAMES, Settings, read_settings
from webex_oauth.settings.names import IGNORED_ENVIRONMENT


def with_portal_url(**changes: str) -> Settings:
    return read_settings({"AUTH_INIT_URL": portal_url(), "CLIENT_SECRET": CLIENT_SECRET} | changes)


def test_the_samples_four_names_are_enough() -> None:
    settings = with_portal_url(PORT="8080", STATE="fixed", DEBUG="oauth")

    assert settings.client.client_id == "C0ffee"
    assert settings.client.client_secret == Secret(CLIENT_SECRET)
    assert settings.client.redirect_uri == REDIRECT_URI
    assert settings.scopes == ("spark:people_read", "spark:rooms_read")
    assert (settings.port, settings.is_debugging) == (8080, True)
    assert settings.platform.is_production


REGISTER = "register one such as http://localhost:8080/oauth"
HERE = "http://localhost:8080"
BOT_TOKEN = "ZDI3MGEyYzQtNmFlNS00NDNh_PF84_1eb65fdf-9643-417f-9974-ad72cae0e10f"
PUBLIC = {
    "WEBEX_REDIRECT_URI": "https://app.example/oauth",
    "WEBEX_STORE_URL": "sqlite:////srv/data/vault.sqlite",
}
REFUSED_REDIRECT_URIS = {
    f"is not an http or https URL: {REGISTER}": (
        *("localhost/oauth", "ftp://localhost/oauth", "http://[/oauth", "http://localhost:x/oauth"),
        "https://spaces.example:0/oauth",
    ),
    "must use https: plain http is only for localhost": ("http://spaces.example/oauth",),
    "is not this server, which listens on port 8080: set PORT=9090 or register the other port": (
        "http://localhost:9090/oauth",
    ),
    "is not this server, which listens on port 8080: set PORT=80 or register the other port": (
        "http://localhost/oauth",
    ),
    "is the address of another page: register one that ends in /oauth": (
        *(f"{HERE}{page}" for page in ("/", "/login", "/logout", "/sessions", "/sessions/end")),
        *(f"{HERE}{page}" for page in ("/index.html", "/listrooms", "/disconnect", "/healthz")),
        *(f"{HERE}{page}" for page in ("/readyz", "/static", "/static/", "/static/app.css")),
    ),
    "must have a plain path: register one that ends in /oauth": (
        *(f"{HERE}{path}" for path in ("", "/..", "/o%61uth", "/o%2fauth", "//evil/oauth")),
        *(f"{HERE}{path}" for path in ("/a/../oauth", "/./oauth", "/oauth/..", "/oauth/.")),
        *(f"{HERE}{path}" for path in ("/a//b", "/oauth//", "/oauth;a=b", "/oauth/../")),
    ),
    "must have no query, fragment or user name: register one without": (
        *(f"{REDIRECT_URI}{end}" for end in ("#a", "#", "?a=b", "?")),
        "http://a@localhost:8080/oauth",
    ),
    "has characters that no URL has: register one without (in names, their xn-- form)": (
        "http://local\thost:8080/oauth",
        "https://spaces\\.example/oauth",
        "https://späces.example/oauth",
    ),
}


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [(uri, remedy) for remedy, uris in REFUSED_REDIRECT_URIS.items() for uri in uris],
)
def test_a_redirect_uri_that_cannot_be_is_refused_with_its_remedy(uri: str, remedy: str) -> None:
    assert only_mistake(WEBEX_REDIRECT_URI=uri) == f"the redirect URI {uri!a} {remedy}"


@pytest.mark.parametrize("path", ["/oauth", "/oauth/", "/a.b/~me/c-d_e", "/.well-known/x", "/..a"])
def test_a_plain_callback_is_taken(path: str) -> None:
    url = portal_url(redirect_uri=f"{HERE}{path}")

    assert with_portal_url(AUTH_INIT_URL=url).callback_path == path


@pytest.mark.parametrize(
    ("changes", "part", "remedy"),
    [
        ({"WEBEX_CLIENT_ID": ""}, "no client id", "AUTH_INIT_URL"),
        ({"CLIENT_SECRET": ""}, "CLIENT_SECRET is missing", "Regenerate"),
        ({"CLIENT_SECRET": "", "CLIENT_SECRET_FILE": "/nowhere"}, "CLIENT_SECRET_FILE", "path"),
        ({"CLIENT_SECRET_FILE": "/nowhere"}, "are both set", "keep one of them"),
        ({"WEBEX_REDIRECT_URI": ""}, "no redirect URI", "http://localhost:8080/oauth"),
        ({"CLIENT_SECRET": f"{CLIENT_SECRET} # from the portal"}, "comment", "line of its own"),
        ({"PORT": "8080  # the port"}, "PORT has a comment", "line of its own"),
        ({"CLIENT_SECRET": f"{CLIENT_SECRET[:30]} {CLIENT_SECRET[30:]}"}, "space", "one line"),
        ({"CLIENT_SECRET": REAL_ID}, "CLIENT_SECRET is a client id", "put the secret"),
        ({"CLIENT_SECRET": "C0ffee"}, "CLIENT_SECRET is a client id", "put the secret"),
        ({"CLIENT_SECRET": BOT_TOKEN}, "CLIENT_SECRET is an access token", "Client Secret"),
        ({"WEBEX_CLIENT_ID": "0a" * 32}, "is a client secret", "begins with C"),
        ({"WEBEX_CLIENT_ID": BOT_TOKEN}, "is an access token", "own"),
        ({"WEBEX_STORE_URL": "sqlite:///~/vault"}, "WEBEX_STORE_URL has ~", "the whole path"),
        (
            {"WEBEX_ORIGIN": "https://idbroker.webex.com"},
            "identity broker",
            "https://webexapis.com",
        ),
        (
            {"WEBEX_ORIGIN": "https://idbroker-eu.webex.com/"},
            "identity broker",
            "https://webexapis",
        ),
        ({"WEBEX_SCOPES": ""}, "no scopes", "spark:people_read"),
        ({"PORT": "0"}, "PORT must be a whole number", "65535"),
        ({"WEBEX_WORKERS": "0"}, "WEBEX_WORKERS must be a whole number from 1 to 64", ""),
        ({"WEBEX_WORKERS": "65"}, "WEBEX_WORKERS must be a whole number from 1 to 64", ""),
        ({"WEBEX_WORKERS": "two"}, "WEBEX_WORKERS must be a whole number from 1 to 64", ""),
        (
            {"WEBEX_WORKERS": "2", "WEBEX_STORE_URL": "memory:"},
            "each process has for itself",
            "set WEBEX_WORKERS to 1",
        ),
        ({"WEBEX_KEEP_GRANTS": "maybe"}, "WEBEX_KEEP_GRANTS must be yes or no", ""),
        ({"WEBEX_KEEPER": "maybe"}, "WEBEX_KEEPER must be yes or no", ""),
        ({"WEBEX_IDLE_SECONDS": "59"}, "WEBEX_IDLE_SECONDS", "from 60"),
        ({"WEBEX_ABSOLUTE_SECONDS": "-1"}, "WEBEX_ABSOLUTE_SECONDS", "from 60"),
        ({"WEBEX_ABSOLUTE_SECONDS": "1e3"}, "WEBEX_ABSOLUTE_SECONDS", "whole number"),
        (
            {"WEBEX_IDLE_SECONDS": "7200", "WEBEX_ABSOLUTE_SECONDS": "3600"},
            "WEBEX_IDLE_SECONDS is longer",
            "3600 at most",
        ),
        ({"WEBEX_KEYS_FILE": "/tmp"}, "WEBEX_KEYS_FILE leads to a folder", "name a file in it"),
        ({"WEBEX_STORE_URL": "sqlite:////tmp"}, "leads to a folder, /tmp", "name a file in it"),
        ({"WEBEX_CA_FILE": "/nowhere.pem"}, "WEBEX_CA_FILE", "PEM"),
        ({"AUTH_INIT_URL": "webexapis"}, "AUTH_INIT_URL is not a URL", "Developer Portal"),
        ({"AUTH_INIT_URL": "https://[/"}, "AUTH_INIT_URL is not a URL", "Developer Portal"),
        ({"AUTH_INIT_URL": portal_url(response_type="token")}, "response_type=code", "AUTH_INIT"),
        ({"AUTH_INIT_URL": portal_url(client_id="other")}, "client_id", "keep the one"),
        ({"AUTH_INIT_URL": portal_url(redirect_uri="https://a.example/b")}, "differ", "registered"),
        (
            {"AUTH_INIT_URL": portal_url(), "WEBEX_ORIGIN": "https://api-usgov.webex.com"},
            "differ",
            "registered",
        ),
    ],
)
def test_a_mistake_comes_with_its_remedy(
    changes: Mapping[str, str], part: str, remedy: str
) -> None:
    mistake = only_mistake(**changes)

    assert part in mistake
    assert remedy in mistake


@pytest.mark.parametrize(
    "proxy",
    [
        *("proxy:3128", "https://proxy.example", "http://", "http://proxy.example:x"),
        *("http://proxy.example:0", "http://a b:3128", "http://proxy.example/x"),
    ],
)
def test_what_is_no_proxy_is_refused(proxy: str) -> None:
    mistake = only_mistake(WEBEX_PROXY=proxy)

    assert mistake == "WEBEX_PROXY must be a URL such as http://proxy.example:3128"


@pytest.mark.parametrize(
    "origin",
    [
        *("http://webexapis.com", "nonsense", "https://", "https://wébex.example"),
        *("https://webexapis.com/v1", "https://a@webexapis.com", "https://webexapis.com?a=b"),
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert "is not an origin such as https://webexapis.com" in only_mistake(WEBEX_ORIGIN=origin)


@pytest.mark.parametrize("value", [8080, None, b"8080", True])
def test_a_value_that_is_not_text_is_an_error_of_the_program(value: Any) -> None:
    with pytest.raises(TypeError, match="PORT is not text"):
        read_settings(GOOD | {"PORT": value})


def test_several_mistakes_come_at_once() -> None:
    over_http = portal_url().replace("https://", "http://", 1)

    assert len(mistakes(WEBEX_CLIENT_ID="", CLIENT_SECRET="", WEBEX_SCOPES="")) == 3
    assert "AUTH_INIT_URL must begin with https://" in mistakes(AUTH_INIT_URL=over_http)


@pytest.mark.check("E01")
def test_no_mistake_shows_the_secret() -> None:
    found = mistakes(WEBEX_CLIENT_ID="", AUTH_INIT_URL="nonsense", PORT=CLIENT_SECRET)

    assert CLIENT_SECRET not in " ".join(found)


@pytest.mark.check("E02")
def test_settings_do_not_show_their_secrets() -> None:
    proxy = "http://proxy-user:proxy-word@proxy.example:3128"

    shown = repr(read_settings(GOOD | {"WEBEX_PROXY": proxy}))

    assert "proxy-word" not in shown
    assert CLIENT_SECRET not in shown


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{CLIENT_SECRET}\n")

    settings = with_portal_url(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path))

    assert settings.client.client_secret == Secret(CLIENT_SECRET)


def test_a_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe\x00")

    found = mistakes(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path))

    assert found[0].startswith("CLIENT_SECRET_FILE cannot be read")


ELSEWHERE = "WEBEX_STORE_URL leads to another machine"
ODD = [
    ({"STATE": "fixed"}, "STATE is ignored: a state that never changes protects nobody"),
    ({"WEBEX_SCOPE": "x"}, "WEBEX_SCOPE is not a setting; did you mean WEBEX_SCOPES?"),
    (
        {"WEBEX_SCOPES": "spark:people_read spark:room_read"},
        "the scope 'spark:room_read' is not in the catalogue; did you mean spark:rooms_read?",
    ),
    (
        {"AUTH_INIT_URL": portal_url(), "WEBEX_SCOPES": "spark:people_read"},
        "WEBEX_SCOPES replaces the scopes in AUTH_INIT_URL",
    ),
    *(
        ({"WEBEX_CLIENT_ID": lost}, f"the client id has {len(lost)} characters; Webex's are C and")
        for lost in (REAL_ID[:-1], REAL_ID + "0", "c" + "0a" * 32, "Spaces")
    ),
    *(
        ({"WEBEX_STORE_URL": url}, f"{ELSEWHERE} without TLS, password and all: use rediss://")
        for url in ("redis://:pw@cache.example/0", "redis://10.0.0.9")
    ),
    *(
        ({"WEBEX_STORE_URL": f"postgresql://a:b@{rest}"}, f"{ELSEWHERE} and does not check who")
        for rest in (
            *("db.example/x", "db.example/x?sslmode=require", "/x?host=db.example"),
            *("localhost,db.example/x?sslmode=prefer", "/x?hostaddr=10.0.0.9"),
        )
    ),
    (
        {
            "WEBEX_REDIRECT_URI": "https://app.example/webex/oauth",
            "WEBEX_KEYS_FILE": "/srv/keys/keys",
        },
        "the redirect URI is below /webex/, but the pages are not: pass every path of https://app.",
    ),
    (
        PUBLIC | {"WEBEX_KEYS_FILE": "/srv/data/keys"},
        "store and keys lie in one folder, /srv/data,",
    ),
]


@pytest.mark.parametrize(("changes", "start"), ODD)
def test_what_is_odd_is_warned_of(changes: Mapping[str, str], start: str) -> None:
    assert only_warning(**changes).startswith(start)


@pytest.mark.parametrize(
    "changes",
    [
        {"AUTH_INIT_URL": portal_url()},
        {"WEBEX_CLIENT_ID": REAL_ID},
        {"WEBEX_CLIENT_ID": "any", "WEBEX_ORIGIN": "http://127.0.0.1:8090"},
        PUBLIC | {"WEBEX_KEYS_FILE": "/srv/keys/keys"},
        *(
            {"WEBEX_STORE_URL": url}
            for url in (
                *("redis://localhost/0", "redis://[::1]:6379", "rediss://cache.example", "memory:"),
                *("postgresql://a:b@127.0.0.1:5432/x", "postgresql:///x?host=/run/postgresql"),
                "postgresql://a:b@db.example/x?sslmode=verify-full",
                "postgresql://a@%2Frun%2Fpostgresql/x",
            )
        ),
    ],
)
def test_what_is_usual_is_not_warned_of(changes: Mapping[str, str]) -> None:
    assert warnings(**changes) == ()


@pytest.mark.parametrize(
    "secret",
    [
        *(CLIENT_SECRET[:-1], CLIENT_SECRET * 2, CLIENT_SECRET.upper(), CLIENT_SECRET + ","),
        *("\u0430" + CLIENT_SECRET[1:], "CLIENT_SECRET=" + CLIENT_SECRET, REAL_ID.lower()),
    ],
)
def test_a_secret_that_is_unlike_webexs_is_warned_of_and_not_repeated(secret: str) -> None:
    warning = only_warning(WEBEX_CLIENT_ID=REAL_ID, CLIENT_SECRET=secret)

    assert warning.startswith("CLIENT_SECRET does not look like one of Webex's")
    assert secret not in warning


@pytest.mark.check("G09")
@pytest.mark.parametrize("name", [*IGNORED_ENVIRONMENT, "https_proxy", "http_proxy"])
def test_what_the_environment_says_is_ignored_but_not_silently(name: str) -> None:
    found = warnings(**{name: "http://proxy.example:3128"})

    assert found == (f"{name.upper()} is ignored: {IGNORED_ENVIRONMENT[name.upper()]}",)
    assert read_settings(GOOD | {name: "x"}).proxy is None


def test_a_scope_that_is_named_twice_is_asked_for_once() -> None:
    scopes = "spark:people_read  spark:people_read spark:rooms_read"

    assert with_portal_url(WEBEX_SCOPES=scopes).scopes == ("spark:people_read", "spark:rooms_read")


@pytest.mark.parametrize(
    ("value", "is_debugging"),
    [
        *((text, True) for text in ("oauth", "oauth,express", "express oauth", "*")),
        *((text, False) for text in ("", "express", "oauthx", "0")),
    ],
)
def test_debug_is_read_as_the_sample_reads_it(value: str, *, is_debugging: bool) -> None:
    assert read_settings(GOOD | {"DEBUG": value}).is_debugging is is_debugging


def test_an_https_address_may_stand_before_any_port() -> None:
    uri = "https://spaces.example/sign-in/done"

    settings = read_settings(GOOD | {"WEBEX_REDIRECT_URI": uri, "PORT": "9000"})

    assert settings.is_https
    assert (settings.public_origin, settings.public_host, settings.callback_path) == (
        "https://spaces.example",
        "spaces.example",
        "/sign-in/done",
    )


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("https://spaces.example/oauth", {"spaces.example", "spaces.example:443"}),
        ("HTTPS://Spaces.example:443/oauth", {"spaces.example", "spaces.example:443"}),
        ("https://spaces.example:8443/oauth", {"spaces.example:8443"}),
        ("https://[2001:DB8:0::1]/oauth", {"[2001:db8::1]", "[2001:db8::1]:443"}),
    ],
)
def test_the_schemes_own_port_names_the_same_host(uri: str, hosts: set[str]) -> None:
    settings = read_settings(GOOD | {"WEBEX_REDIRECT_URI": uri})

    assert settings.public_hosts == hosts
    assert settings.is_https


@pytest.mark.check("H14")
def test_the_emulators_secret_is_refused_at_the_real_webex() -> None:
    assert "is the emulator's" in only_mistake(CLIENT_SECRET="emulator-" + "a" * 40)


@pytest.mark.check("H14")
def test_a_public_application_refuses_a_local_webex() -> None:
    found = only_mistake(
        WEBEX_ORIGIN="http://127.0.0.1:8090", WEBEX_REDIRECT_URI="https://spaces.example/oauth"
    )

    assert "is a local Webex but the redirect URI is public" in found


@pytest.mark.parametrize("host", ["localhost:8443", "localhost", "127.0.0.1"])
def test_tls_before_the_application_can_be_tried_with_a_local_webex(host: str) -> None:
    local = {"WEBEX_ORIGIN": "http://127.0.0.1:8090", "WEBEX_REDIRECT_URI": f"https://{host}/oauth"}

    assert read_settings(GOOD | local).is_https


def judge(variables: Mapping[str, str]) -> Settings | tuple[str, ...]:
    """Return the settings, or else the mistakes."""
    try:
        return read_settings(variables)
    except ConfigurationError as error:
        return error.mistakes


@pytest.mark.check("I07")
@given(st.dictionaries(st.sampled_from(sorted(NAMES)), st.text(max_size=200)))
def test_whatever_is_configured_becomes_settings_or_mistakes(variables: dict[str, str]) -> None:
    judged = judge(variables)

    if isinstance(judged, Settings):
        assert judged.client.client_id
    else:
        assert judged
        assert not [mistake for mistake in judged if not mistake or "\n" in mistake]


@pytest.mark.check("I07")
@given(st.text(max_size=300))
def test_whatever_is_pasted_as_the_portals_url_is_judged(text: str) -> None:
    judged = judge({"AUTH_INIT_URL": text, "CLIENT_SECRET": CLIENT_SECRET})

    assert judged


PIECES = (
    *("http", "https", "://", "localhost", ":8080", ":x", "[", "]", "/", "//", "oauth", "?a=b"),
    *("#f", "@", "\\", "%2f", "spaces.example", " ", "\t", "é", "login", HERE),
)


@pytest.mark.check("A12", "I07")
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_a_redirect_uri_that_is_taken_is_plain_and_has_a_path_of_its_own(uri: str) -> None:
    judged = judge(GOOD | {"WEBEX_REDIRECT_URI": uri})

    if isinstance(judged, Settings):
        assert judged.callback_path not in {"", "/", "/login"}
        assert judged.is_https or judged.public_origin == "http://localhost:8080"
        assert judged.public_host.isascii()
        assert not set(judged.client.redirect_uri) & set(" \t\\@#?%")
