"""Where files are: beside the `.env` that names them, else in the user's data folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings.pasted import path_in

FOLDER_NAME: Final = "webex-oauth"
NO_HOME: Final = (
    "there is no home folder to keep the store and the keys in: set WEBEX_STORE_URL and "
    "WEBEX_KEYS_FILE (or WEBEX_KEYS)"
)


def data_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of this user's data (XDG base directories); None without a home."""
    stated = environment.get("XDG_DATA_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / FOLDER_NAME
    home = environment.get("HOME", "") or _home_of_user()
    return Path(home) / ".local" / "share" / FOLDER_NAME if Path(home).is_absolute() else None


def folder_beside(env_file: Path) -> Path:
    """Return the folder of data beside a `.env`."""
    return env_file.absolute().parent / f".{FOLDER_NAME}"


def anchored(name: str, value: str, folder: Path) -> str:
    """Return *value* with the path in it whole: a relative one is below *folder*."""
    path = path_in(name, value)
    if not path or path[0] in "~$":
        return value
    return f"{value.removesuffix(path)}{folder / path}"


def check_home(folder: Path | None) -> Path:
    """Return *folder*, or raise ConfigurationError if there is none."""
    if folder is None:
        raise ConfigurationError([NO_HOME])
    return folder


def _home_of_user() -> str:
    try:
        return os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    except (KeyError, RuntimeError):
        return ""
