"""The .env file: odd lines are told with their number; what it names lies beside it."""

from pathlib import Path

import pytest
from unit.settings.examples import GOOD

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import Settings


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_text(text)
    path.chmod(mode)
    return path


def good_lines(**changes: str) -> str:
    return "".join(f"{name}={value}\n" for name, value in (GOOD | changes).items())


def read(path: Path | None, **environment: str) -> Settings:
    return Settings.from_env(path, environment)


def told_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    return "; ".join(caught.value.mistakes)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("&redirect_uri=http%3A%2F%2Flocalhost", "rest of the line before"),
        ('WEBEX_HOST="unfinished', "close its quotes"),
        ("two words=1", "rest of the line before"),
        ("WEBEX_HOST", "write WEBEX_HOST=..."),
    ],
)
def test_a_line_that_sets_nothing_is_told_with_its_number(
    line: str, remedy: str, tmp_path: Path
) -> None:
    path = write(tmp_path, good_lines() + line + "\n")

    told = told_of(path)

    assert f"line 5 of {path}" in told
    assert remedy in told


def test_a_name_that_stands_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path, good_lines() + "PORT=8080\n# PORT=1\nPORT=8080\n")

    (told,) = read(path).warnings

    assert told.startswith(f"PORT stands twice in {path} (lines 5 and 7)")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("CLIENTSECRET", "CLIENT_SECRET"), ("CLIENT_ID", "WEBEX_CLIENT_ID"), ("WEBEX_PORT", "PORT")],
)
def test_a_misspelt_name_is_told_with_the_likely_one(name: str, meant: str, tmp_path: Path) -> None:
    (told,) = read(write(tmp_path, good_lines() + f"{name}=x\n")).warnings

    assert f"{name} is not a setting; did you mean {meant}?" in told


def test_the_error_names_the_misspelling_that_a_mistake_came_from(tmp_path: Path) -> None:
    lines = good_lines().replace("CLIENT_SECRET=", "CLIENT_SECERT=")

    with pytest.raises(ConfigurationError, match=r"did you mean CLIENT_SECRET\?"):
        Settings.from_env(write(tmp_path, lines))


@pytest.mark.parametrize("name", ["WEBEX_FOO", "HOME", "DATABASE_URL", "FLASK_ENV"])
def test_a_name_that_is_like_none_gets_no_suggestion(name: str, tmp_path: Path) -> None:
    told = read(write(tmp_path, good_lines() + f"{name}=x\n")).warnings

    assert not [line for line in told if "did you mean" in line]


@pytest.mark.parametrize(("mode", "is_told"), [(0o644, True), (0o604, True), (0o640, False)])
def test_a_file_of_secrets_that_all_can_read_is_told(
    mode: int, tmp_path: Path, *, is_told: bool
) -> None:
    path = write(tmp_path, good_lines(), mode)

    told = read(path).warnings

    assert bool(told) == is_told
    assert not told or f"run `chmod 600 {path}`" in told[0]


def test_a_secrets_own_file_that_all_can_read_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(GOOD["CLIENT_SECRET"])
    secret.chmod(0o644)
    path = write(tmp_path, good_lines(CLIENT_SECRET="", CLIENT_SECRET_FILE="secret"))

    (told,) = read(path).warnings

    assert f"run `chmod 600 {secret}`" in told


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = told_of(tmp_path / "production.env")

    assert f"{tmp_path / 'production.env'} does not exist: check the path" in told


def test_what_a_file_names_lies_beside_it_wherever_one_stands(tmp_path: Path) -> None:
    path = write(tmp_path, good_lines(WEBEX_KEYS_FILE="my/keys", WEBEX_STORE_URL="sqlite:///a.db"))

    settings = read(path)

    assert settings.keys_file == tmp_path / "my" / "keys"
    assert settings.store_url == f"sqlite:///{tmp_path}/a.db"
    assert settings.warnings == ()


def test_what_names_no_place_lies_beside_the_file(tmp_path: Path) -> None:
    settings = read(write(tmp_path, good_lines()))

    assert settings.keys_file == tmp_path / ".webex-oauth" / "keys"
    assert settings.store_url == f"sqlite:///{tmp_path}/.webex-oauth/vault.sqlite"


def test_without_a_file_it_lies_in_the_users_data(tmp_path: Path) -> None:
    stated = read(None, **GOOD, XDG_DATA_HOME=str(tmp_path))
    usual = read(None, **GOOD, HOME="/srv/mira")
    library = Settings.from_env(None, GOOD | {"HOME": "/srv/mira"})

    assert stated.keys_file == tmp_path / "webex-oauth" / "keys"
    assert usual.store_url == "sqlite:////srv/mira/.local/share/webex-oauth/vault.sqlite"
    assert library.store_url == usual.store_url


def test_a_relative_path_of_the_environment_lies_in_the_users_data_and_is_told() -> None:
    settings = read(None, **GOOD, HOME="/srv/mira", WEBEX_KEYS_FILE="my/keys")

    assert settings.keys_file == Path("/srv/mira/.local/share/webex-oauth/my/keys")
    (told,) = settings.warnings
    assert told.startswith(f"WEBEX_KEYS_FILE is relative and leads to {settings.keys_file}: ")


def test_the_working_folder_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, good_lines())
    (tmp_path / "elsewhere").mkdir()

    found = [read(path), read(None, **GOOD, HOME="/srv/mira", WEBEX_KEYS_FILE="keys")]
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert [read(path), read(None, **GOOD, HOME="/srv/mira", WEBEX_KEYS_FILE="keys")] == found


def test_a_file_that_names_no_setting_is_another_programs(tmp_path: Path) -> None:
    settings = read(write(tmp_path, "DATABASE_URL=x\n"), **GOOD, HOME="/srv/mira")

    assert settings.keys_file == Path("/srv/mira/.local/share/webex-oauth/keys")


def test_a_usual_file_may_be_absent_if_the_environment_has_what_is_needed(tmp_path: Path) -> None:
    usual, named = tmp_path / ".env", tmp_path / "production.env"

    assert read(usual, **GOOD).warnings == ()
    assert f"{usual} does not exist" in told_of(usual)
    with pytest.raises(ConfigurationError, match=f"{named} does not exist"):
        read(named, **GOOD)
