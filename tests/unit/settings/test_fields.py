"""Settings made in a program: four fields, the rules of the variables, the names of the fields."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from unit.settings.examples import CLIENT_SECRET, REDIRECT_URI

from webex_oauth.errors import ConfigurationError
from webex_oauth.secret import Secret
from webex_oauth.settings import NAMES, Settings
from webex_oauth.settings.variables import OWN_FIELDS

FOUR: dict[str, Any] = {
    "client_id": "C0ffee",
    "client_secret": Secret(CLIENT_SECRET),
    "redirect_uri": REDIRECT_URI,
    "scopes": ["spark:people_read", "spark:rooms_read"],
}
PARAMETERS = [name for name in inspect.signature(Settings).parameters if name not in FOUR]


def mistakes(**fields: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**FOUR | fields)
    return caught.value.mistakes


def test_four_fields_are_enough_and_the_rest_is_as_without_variables() -> None:
    named = Settings.from_env(
        None,
        {
            "AUTH_INIT_URL": "",
            "WEBEX_CLIENT_ID": "C0ffee",
            "CLIENT_SECRET": CLIENT_SECRET,
            "WEBEX_REDIRECT_URI": REDIRECT_URI,
            "WEBEX_SCOPES": "spark:people_read spark:rooms_read",
        },
    )

    assert Settings(**FOUR) == named
    assert Settings(**FOUR | {"client_secret": CLIENT_SECRET}) == named
    assert named.warnings == ()


def test_every_field_reaches_the_settings(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    fields: dict[str, Any] = {
        "store_url": "redis://localhost",
        "keys_file": tmp_path / "keys",
        "keep_grants": True,
        "keeper": False,
        "idle_seconds": 61,
        "absolute_seconds": 62,
        "proxy": "http://proxy.example:3128",
        "ca_file": str(ca_file),
        "person": "mira@acme.example",
        "app_name": "Acme spaces",
        "help_url": "https://help.example.com",
        "host": "0.0.0.0",  # noqa: S104 - a value, not a listener
        "port": 8081,
        "workers": 2,
        "debug": True,
    }
    origins: dict[str, Any] = {
        "origin": "http://localhost:8090",
        "token_origins": ["https://api.example"],
    }
    settings = Settings(**FOUR, **fields, **origins)

    assert {name: getattr(settings, name) for name in fields} == fields
    assert settings.platform.origin == "http://localhost:8090"
    assert settings.platform.token_origins == {"https://api.example"}
    assert {*fields, *origins, "keys"} == set(PARAMETERS)


def test_every_parameter_has_its_variable() -> None:
    variables = {OWN_FIELDS.get(name, f"WEBEX_{name.upper()}") for name in [*FOUR, *PARAMETERS]}

    assert set(NAMES) - variables == {"AUTH_INIT_URL", "CLIENT_SECRET_FILE", "STATE"}
    assert variables <= NAMES


def test_all_mistakes_come_at_once_in_the_names_of_the_fields(tmp_path: Path) -> None:
    told = mistakes(
        client_secret="", idle_seconds=7200, absolute_seconds=3600, keys_file=tmp_path, workers=65
    )

    assert [line.split()[0] for line in told] == [
        *("client_secret", "idle_seconds", "keys_file", "workers"),
    ]
    assert "raise absolute_seconds" in told[1]


@pytest.mark.parametrize(
    ("field", "value"), [("port", 80.5), ("scopes", [7]), ("client_id", b"C0ffee"), ("keys", [])]
)
def test_a_value_of_another_type_is_an_error_of_the_program(field: str, value: Any) -> None:
    with pytest.raises(TypeError):
        Settings(**FOUR | {field: value})


def test_what_is_none_is_missing() -> None:
    assert mistakes(client_secret=None)[0].startswith("client_secret is missing")


def test_a_relative_path_does_not_depend_on_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    settings = Settings(**FOUR, keys_file="keys", store_url="sqlite:///my/vault.sqlite")

    assert settings.keys_file == tmp_path / "webex-oauth" / "keys"
    assert settings.store_url == f"sqlite:///{tmp_path}/webex-oauth/my/vault.sqlite"
    assert [told.split()[0] for told in settings.warnings] == ["store_url", "keys_file"]


def test_settings_are_frozen_and_show_no_secret() -> None:
    settings = Settings(**FOUR)

    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]
    assert CLIENT_SECRET not in repr(settings)


def test_settings_load_no_server_no_command_and_no_emulator() -> None:
    program = f"""
import sys, webex_oauth
webex_oauth.Settings(
    client_id="C0ffee", client_secret="{CLIENT_SECRET}", redirect_uri="{REDIRECT_URI}",
    scopes=["spark:people_read"],
)
unwanted = ("starlette", "jinja2", "uvicorn", "click", "asyncio", "ssl", "webex_oauth.emulator")
print(*(name for name in unwanted if name in sys.modules))
"""
    command = [sys.executable, "-c", program]

    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == ""
