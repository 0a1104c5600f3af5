"""Where files are: beside the `.env` that names them, else in the user's data folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from webex_oauth.settings.pasted import path_in

FOLDER_NAME: Final = "webex-oauth"
FOLDER_WITHOUT_HOME: Final = Path("/var/lib") / FOLDER_NAME


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of this user's data (XDG base directories)."""
    stated = environment.get("XDG_DATA_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / FOLDER_NAME
    # expanduser leaves the tilde where the user has no home.
    home = Path(environment.get("HOME", "") or os.path.expanduser("~"))  # noqa: PTH111
    return home / ".local/share" / FOLDER_NAME if home.is_absolute() else FOLDER_WITHOUT_HOME


def folder_beside(env_file: Path) -> Path:
    """Return the folder of data beside a `.env`."""
    return env_file.absolute().parent / f".{FOLDER_NAME}"


def anchored(name: str, value: str, folder: Path) -> str:
    """Return *value* with the path in it whole: a relative one is below *folder*."""
    path = path_in(name, value)
    if not path or path[0] in "~$":
        return value
    return f"{value.removesuffix(path)}{folder / path}"
