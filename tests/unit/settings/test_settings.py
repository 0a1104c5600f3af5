"""Settings: mistakes come all at once, each with its remedy; what is odd is warned of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, strategies as st
from unit.settings.examples import (
    CLIENT_SECRET,
    GOOD,
    REDIRECT_URI,
    mistakes,
    only_mistake,
    portal_url,
    warnings,
)

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.settings import NAMES, Settings, port_mistakes
from webex_oauth.settings.names import IGNORED_ENVIRONMENT
from webex_oauth.settings.pages import PagePath


def with_portal_url(**changes: str) -> Settings:
    return Settings.from_env(
        None, {"AUTH_INIT_URL": portal_url(), "CLIENT_SECRET": CLIENT_SECRET} | changes
    )


def test_the_samples_four_names_are_enough() -> None:
    settings = with_portal_url(PORT="8080", STATE="fixed", DEBUG="oauth")

    assert settings.client.client_id == "C0ffee"
    assert settings.client.client_secret == Secret(CLIENT_SECRET)
    assert settings.client.redirect_uri == REDIRECT_URI
    assert settings.scopes == ("spark:people_read", "spark:rooms_read")
    assert (settings.port, settings.debug) == (8080, True)
    assert settings.platform.is_production


REGISTER = "register one such as http://localhost:8080/oauth"
HERE = "http://localhost:8080"
REFUSED_REDIRECT_URIS = {
    f"is not an http or https URL: {REGISTER}": (
        *("localhost/oauth", "ftp://localhost/oauth", "http://[/oauth", "http://localhost:x/oauth"),
        "https://spaces.example:0/oauth",
    ),
    "must use https: plain http is only for localhost": ("http://spaces.example/oauth",),
    "is the address of another page: register one that ends in /oauth": (
        *(f"{HERE}{page}" for page in ("/", "/login", "/logout", "/sessions", "/sessions/end")),
        *(f"{HERE}{page}" for page in ("/index.html", "/listrooms", "/disconnect", "/healthz")),
        *(f"{HERE}{page}" for page in ("/readyz", "/static", "/static/", "/static/app.css")),
        *(f"{HERE}{page}" for page in ("/webex/login", "/a/webex/static", "/webex/healthz")),
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


@pytest.mark.parametrize(("port", "end"), [(9090, ":9090"), (80, "")])
def test_browsers_must_come_back_to_the_port_of_a_server(port: int, end: str) -> None:
    uri = f"http://localhost{end}/oauth"
    elsewhere = Settings.from_env(None, GOOD | {"WEBEX_REDIRECT_URI": uri, "PORT": "8080"})
    here = Settings.from_env(None, GOOD | {"WEBEX_REDIRECT_URI": uri})

    (told,) = port_mistakes(elsewhere)
    assert told.startswith(
        f"the redirect URI {uri!a} is not this server, which listens on port 8080"
    )
    assert told.endswith(f": set PORT={port} or register the other port")
    assert (here.port, port_mistakes(here)) == (port, ())


@pytest.mark.parametrize(
    ("name", "address"),
    [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")],
)
def test_it_listens_where_browsers_come_back(name: str, address: str) -> None:
    variables = GOOD | {"WEBEX_REDIRECT_URI": f"http://{name}:8080/oauth"}

    assert Settings.from_env(None, variables).host == address
    assert Settings.from_env(None, variables | {"WEBEX_HOST": "192.0.2.1"}).host == "192.0.2.1"


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
    ],
)
def test_a_mistake_comes_with_its_remedy(
    changes: Mapping[str, str], part: str, remedy: str
) -> None:
    mistake = only_mistake(**changes)

    assert part in mistake
    assert remedy in mistake


NOT_URLS = {
    "WEBEX_PROXY must be a URL such as http://proxy.example:3128": (
        *("proxy:3128", "https://proxy.example", "http://", "http://proxy.example:x"),
        *("http://proxy.example:0", "http://a b:3128", "http://proxy.example/x"),
    ),
    "is not an origin such as https://webexapis.com": (
        *("http://webexapis.com", "nonsense", "https://", "https://wébex.example"),
        *("https://webexapis.com/v1", "https://a@webexapis.com", "https://webexapis.com?a=b"),
    ),
    "WEBEX_HELP is neither a URL nor an e-mail address": (
        *("the desk", "javascript:alert(1)", "a@b", "http://", "a@b.c d"),
    ),
}
NAME_OF = dict(zip(NOT_URLS, ("WEBEX_PROXY", "WEBEX_ORIGIN", "WEBEX_HELP"), strict=True))


@pytest.mark.parametrize(
    ("text", "mistake"), [(text, mistake) for mistake, texts in NOT_URLS.items() for text in texts]
)
def test_what_is_no_proxy_no_origin_or_no_help_is_refused(text: str, mistake: str) -> None:
    assert mistake in only_mistake(**{NAME_OF[mistake]: text})


@pytest.mark.parametrize("value", [8080, None, b"8080", True])
def test_a_value_that_is_not_text_is_an_error_of_the_program(value: Any) -> None:
    with pytest.raises(TypeError, match="PORT is not text"):
        Settings.from_env(None, GOOD | {"PORT": value})


def test_several_mistakes_come_at_once() -> None:
    over_http = portal_url().replace("https://", "http://", 1)

    assert len(mistakes(WEBEX_CLIENT_ID="", CLIENT_SECRET="", WEBEX_SCOPES="")) == 3
    assert "AUTH_INIT_URL must begin with https://" in mistakes(AUTH_INIT_URL=over_http)


@pytest.mark.check("E01")
def test_no_mistake_shows_the_secret() -> None:
    told = mistakes(WEBEX_CLIENT_ID="", AUTH_INIT_URL="nonsense", PORT=CLIENT_SECRET)

    assert CLIENT_SECRET not in " ".join(told)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{CLIENT_SECRET}\n")

    settings = with_portal_url(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path))

    assert settings.client.client_secret == Secret(CLIENT_SECRET)


def test_a_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe\x00")

    told = mistakes(CLIENT_SECRET="", CLIENT_SECRET_FILE=str(path))

    assert told[0].startswith("CLIENT_SECRET_FILE cannot be read")


def test_a_fixed_state_is_ignored_with_the_reason() -> None:
    assert "protects nobody" in warnings(STATE="fixed")[0]


@pytest.mark.check("G09")
@pytest.mark.parametrize("name", [*IGNORED_ENVIRONMENT, "https_proxy", "http_proxy"])
def test_what_the_environment_says_is_ignored_but_not_silently(name: str) -> None:
    told = warnings(**{name: "http://proxy.example:3128"})

    assert told == (f"{name.upper()} is ignored: {IGNORED_ENVIRONMENT[name.upper()]}",)
    assert Settings.from_env(None, GOOD | {name: "x"}).proxy is None


def test_an_unknown_scope_is_warned_of_with_the_likely_one() -> None:
    told = warnings(WEBEX_SCOPES="spark:people_read spark:room_read")

    assert len(told) == 1
    assert "'spark:room_read'" in told[0]
    assert "did you mean spark:rooms_read?" in told[0]


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
    assert Settings.from_env(None, GOOD | {"DEBUG": value}).debug is is_debugging


def test_an_https_address_may_stand_before_any_port() -> None:
    uri = "https://spaces.example/sign-in/done"

    settings = Settings.from_env(None, GOOD | {"WEBEX_REDIRECT_URI": uri, "PORT": "9000"})

    assert settings.public_origin == "https://spaces.example"
    assert settings.callback_path == "/sign-in/done"


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
    settings = Settings.from_env(None, GOOD | {"WEBEX_REDIRECT_URI": uri})

    assert settings.public_hosts == hosts


@pytest.mark.check("H14")
def test_the_emulators_secret_is_refused_at_the_real_webex() -> None:
    assert "is the emulator's" in only_mistake(CLIENT_SECRET="emulator-" + "a" * 40)


@pytest.mark.check("H14")
def test_a_public_application_refuses_a_local_webex() -> None:
    told = only_mistake(
        WEBEX_ORIGIN="http://127.0.0.1:8090", WEBEX_REDIRECT_URI="https://spaces.example/oauth"
    )

    assert "is a local Webex but the redirect URI is public" in told


@pytest.mark.parametrize("host", ["localhost:8443", "localhost", "127.0.0.1"])
def test_tls_before_the_application_can_be_tried_with_a_local_webex(host: str) -> None:
    local = {"WEBEX_ORIGIN": "http://127.0.0.1:8090", "WEBEX_REDIRECT_URI": f"https://{host}/oauth"}

    assert Settings.from_env(None, GOOD | local).public_origin == f"https://{host}"


def judge(variables: Mapping[str, str]) -> Settings | tuple[str, ...]:
    """Return the settings, or else the mistakes."""
    try:
        return Settings.from_env(None, variables)
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
        origin = urlsplit(judged.public_origin)
        assert origin.scheme == "https" or origin.hostname == "localhost"
        assert judged.public_origin.isascii()
        assert not set(judged.client.redirect_uri) & set(" \t\\@#?%")


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/oauth", "/"),
        ("/oauth/", "/"),
        ("/webex/oauth", "/webex/"),
        ("/webex/oauth/", "/webex/"),
        ("/login/oauth", "/login/"),
        ("/a/b/callback", "/a/b/"),
    ],
)
def test_the_folder_of_the_redirect_uri_is_the_base_of_all_pages(path: str, base: str) -> None:
    uri = f"https://app.example{path}"
    settings = Settings.from_env(None, GOOD | {"WEBEX_REDIRECT_URI": uri})

    assert settings.base_path == base
    assert settings.path_of(PagePath.HOME) == base
    assert settings.url_of(PagePath.LOGIN) == f"https://app.example{base}login"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", None),
        ("help@acme.example", "mailto:help@acme.example"),
        ("https://help.acme.example/webex", "https://help.acme.example/webex"),
    ],
)
def test_where_to_get_help_is_a_page_or_an_e_mail_address(text: str, url: str | None) -> None:
    assert with_portal_url(WEBEX_HELP=text).help_url == url


def test_the_application_has_a_name_of_one_short_line() -> None:
    assert with_portal_url().app_name == "webex-oauth"
    assert with_portal_url(WEBEX_APP_NAME="Acme spaces").app_name == "Acme spaces"
    assert "60 characters" in only_mistake(WEBEX_APP_NAME="a" * 61)


def test_tokens_go_to_further_origins_that_the_operator_names_and_says_so() -> None:
    named = GOOD | {"WEBEX_TOKEN_ORIGINS": "https://API.one.example:443 https://two.example"}
    settings = Settings.from_env(None, named)

    takes_token = settings.platform.takes_token
    assert takes_token("https://api.one.example/v1/x") and takes_token("https://two.example/")  # noqa: PT018 - one list
    assert not takes_token("https://three.example/")
    assert sum("people's tokens go to" in warning for warning in settings.warnings) == 2


@pytest.mark.parametrize("origin", ["http://one.example", "https://one.example/path", "*"])
def test_what_is_no_safe_origin_gets_no_token(origin: str) -> None:
    (mistake,) = mistakes(WEBEX_TOKEN_ORIGINS=origin)

    assert mistake.startswith("WEBEX_TOKEN_ORIGINS: ")
