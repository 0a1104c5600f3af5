"""What copying does to a value is reported with its name and remedy, and nothing else is."""

import pytest
from unit.settings.examples import (
    CLIENT_SECRET,
    REDIRECT_URI,
    mistakes,
    only_mistake,
    warnings,
)

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import NAMES, read_settings


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "WEBEX_CLIENT_ID", "WEBEX_SCOPES", "PORT"])
@pytest.mark.parametrize(
    "quotes", ['""', "''", "\u201c\u201d", "\u2018\u2019", "\u201e\u201c", "«»", '" ', "`\u2019"]
)
def test_quotes_belong_to_no_value(name: str, quotes: str) -> None:
    value = {"PORT": "8080", "WEBEX_CLIENT_ID": "C0ffee"}.get(name, "spark:people_read")

    found = only_mistake(**{name: f"{quotes[0]}{value}{quotes[1]}"})

    assert found.startswith(f"{name} is in quotes")
    assert "write it without" in found


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

    found = only_mistake(CLIENT_SECRET=secret)

    assert found.startswith("CLIENT_SECRET has an invisible character")
    assert f"U+{ord(hidden):04X}" in found


@pytest.mark.parametrize("around", [" {} ", "\t{}", "{}\r\n", "\n{}\n"])
def test_plain_space_around_a_value_is_nothing(around: str) -> None:
    assert warnings(CLIENT_SECRET=around.format(CLIENT_SECRET)) == ()


@pytest.mark.parametrize(
    "placeholder",
    [
        *("your-client-secret", "<client secret>", "xxxxxxxx", "CHANGE_ME", "change-me", "..."),
        *("$CLIENT_SECRET", "${CLIENT_SECRET}", "{{ secret }}", "%SECRET%", "\u2022" * 20),
        *("client_secret", "put_secret_here", "REPLACE_ME", "***", "TODO", "insert-yours"),
    ],
)
def test_a_value_that_was_never_put_in_is_reported(placeholder: str) -> None:
    assert "placeholder" in only_mistake(CLIENT_SECRET=placeholder)
    assert "placeholder" in only_mistake(WEBEX_CLIENT_ID=placeholder)


@pytest.mark.parametrize("name", ["WEBEX_KEYS_FILE", "WEBEX_CA_FILE", "CLIENT_SECRET_FILE"])
@pytest.mark.parametrize("path", ["~/keys", "~me/keys", "$HOME/keys", "${HOME}/keys", "/a/$(id)"])
def test_what_only_a_shell_expands_is_reported(name: str, path: str) -> None:
    found = mistakes(**{name: path})

    assert [line for line in found if line.startswith(f"{name} has ")]
    assert "write the whole path" in " ".join(found)


@pytest.mark.parametrize("name", sorted(NAMES - {"STATE"}))
def test_no_name_is_free_of_these_checks(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({name: f'"{REDIRECT_URI}"'})

    assert [found for found in caught.value.mistakes if found.startswith(f"{name} is in quotes")]
