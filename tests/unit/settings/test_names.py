"""What copying does to a value is reported with its name and remedy, and nothing else is."""

import pytest
from unit.settings.examples import (
    CLIENT_SECRET,
    REDIRECT_URI,
    mistakes,
    only_mistake,
    portal_url,
    warnings,
)

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import NAMES, Settings

REAL_ID = "C" + "0a" * 32
BOT_TOKEN = "ZDI3MGEyYzQtNmFlNS00NDNh_PF84_1eb65fdf-9643-417f-9974-ad72cae0e10f"


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "WEBEX_CLIENT_ID", "WEBEX_SCOPES", "PORT"])
@pytest.mark.parametrize(
    "quotes", ['""', "''", "\u201c\u201d", "\u2018\u2019", "\u201e\u201c", "«»", '" ', "`\u2019"]
)
def test_quotes_belong_to_no_value(name: str, quotes: str) -> None:
    value = {"PORT": "8080", "WEBEX_CLIENT_ID": "C0ffee"}.get(name, "spark:people_read")

    told = only_mistake(**{name: f"{quotes[0]}{value}{quotes[1]}"})

    assert told.startswith(f"{name} is in quotes")
    assert "write it without" in told


@pytest.mark.parametrize(
    "hidden",
    ["\u00a0", "\ufeff", "\u200b", "\u202e", "\x85", "\x1b", "\x01", "\x08", "\u2028", "\udce9"],
)
@pytest.mark.parametrize("place", ["before", "after", "within"])
def test_an_invisible_character_is_named(hidden: str, place: str) -> None:
    secret = {
        "before": hidden + CLIENT_SECRET,
        "after": CLIENT_SECRET + hidden,
        "within": CLIENT_SECRET[:9] + hidden + CLIENT_SECRET[9:],
    }[place]

    told = only_mistake(CLIENT_SECRET=secret)

    assert told.startswith("CLIENT_SECRET has an invisible character")
    assert f"U+{ord(hidden):04X}" in told


@pytest.mark.parametrize("around", [" {} ", "\t{}", "{}\r\n", "\n{}\n"])
def test_plain_space_around_a_value_is_nothing(around: str) -> None:
    assert warnings(CLIENT_SECRET=around.format(CLIENT_SECRET)) == ()


def test_a_comment_behind_a_value_is_told() -> None:
    assert "comment" in only_mistake(CLIENT_SECRET=f"{CLIENT_SECRET} # from the portal")
    assert "comment" in only_mistake(PORT="8080  # the port")


def test_a_value_that_is_broken_in_two_is_told() -> None:
    assert "one line" in only_mistake(CLIENT_SECRET=CLIENT_SECRET[:30] + " " + CLIENT_SECRET[30:])


@pytest.mark.parametrize(
    "placeholder",
    [
        *("your-client-secret", "<client secret>", "xxxxxxxx", "CHANGE_ME", "change-me", "..."),
        *("$CLIENT_SECRET", "${CLIENT_SECRET}", "{{ secret }}", "%SECRET%", "\u2022" * 20),
        *("client_secret", "put_secret_here", "REPLACE_ME", "***", "TODO", "insert-yours"),
    ],
)
def test_a_value_that_was_never_put_in_is_told(placeholder: str) -> None:
    assert "placeholder" in only_mistake(CLIENT_SECRET=placeholder)
    assert "placeholder" in only_mistake(WEBEX_CLIENT_ID=placeholder)


@pytest.mark.parametrize("name", ["WEBEX_KEYS_FILE", "WEBEX_CA_FILE", "CLIENT_SECRET_FILE"])
@pytest.mark.parametrize("path", ["~/keys", "~me/keys", "$HOME/keys", "${HOME}/keys", "/a/$(id)"])
def test_what_only_a_shell_expands_is_told(name: str, path: str) -> None:
    told = mistakes(**{name: path})

    assert [line for line in told if line.startswith(f"{name} has ")]
    assert "write the whole path" in " ".join(told)


def test_what_only_a_shell_expands_is_told_of_the_store() -> None:
    assert "WEBEX_STORE_URL has ~" in only_mistake(WEBEX_STORE_URL="sqlite:///~/vault.sqlite")


def test_a_client_id_is_no_secret_and_a_secret_no_client_id() -> None:
    assert "CLIENT_SECRET is a client id" in only_mistake(CLIENT_SECRET=REAL_ID)
    assert "CLIENT_SECRET is a client id" in only_mistake(CLIENT_SECRET="C0ffee")
    assert "is a client secret" in only_mistake(WEBEX_CLIENT_ID="0a" * 32)
    assert "access token" in only_mistake(CLIENT_SECRET=BOT_TOKEN)
    assert "access token" in only_mistake(WEBEX_CLIENT_ID=BOT_TOKEN)


@pytest.mark.parametrize("client_id", [REAL_ID[:-1], REAL_ID + "0", "c" + "0a" * 32, "Spaces"])
def test_a_client_id_that_lost_a_piece_is_warned_of(client_id: str) -> None:
    told = warnings(WEBEX_CLIENT_ID=client_id)

    assert len(told) == 1
    assert "was all of it copied?" in told[0]


@pytest.mark.parametrize(
    "secret",
    [
        *(CLIENT_SECRET[:-1], CLIENT_SECRET * 2, CLIENT_SECRET.upper(), CLIENT_SECRET + ","),
        *("\u0430" + CLIENT_SECRET[1:], "CLIENT_SECRET=" + CLIENT_SECRET, REAL_ID.lower()),
    ],
)
def test_a_secret_that_is_none_of_webexs_is_warned_of(secret: str) -> None:
    told = warnings(WEBEX_CLIENT_ID=REAL_ID, CLIENT_SECRET=secret)

    assert len(told) == 1
    assert told[0].startswith("CLIENT_SECRET does not look like one of Webex's")
    assert secret not in told[0]


def test_a_client_id_as_webex_gives_it_is_not_warned_of() -> None:
    assert warnings(WEBEX_CLIENT_ID=REAL_ID) == ()
    assert warnings(WEBEX_CLIENT_ID="any", WEBEX_ORIGIN="http://127.0.0.1:8090") == ()


def test_scopes_that_replace_those_of_the_portal_are_told() -> None:
    told = warnings(AUTH_INIT_URL=portal_url(), WEBEX_SCOPES="spark:people_read")

    assert len(told) == 1
    assert told[0].startswith("WEBEX_SCOPES replaces the scopes in AUTH_INIT_URL")
    assert warnings(AUTH_INIT_URL=portal_url()) == ()


@pytest.mark.parametrize("name", sorted(NAMES - {"STATE"}))
def test_no_name_is_free_of_these_checks(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(None, {name: f'"{REDIRECT_URI}"'})

    assert [told for told in caught.value.mistakes if told.startswith(f"{name} is in quotes")]
