"""The emulator's `.env`: written once, and read at later starts so that it stays true."""

import os
from pathlib import Path

from dotenv import dotenv_values

from webex_oauth import emulator as local_webex
from webex_oauth.errors import ConfigurationError

OWNER_ONLY = 0o600


def kept_integration(path: Path | None, origin: str) -> local_webex.Integration | None:
    """Read the integration that an earlier start wrote to *path*; return None if there is no file.

    Raises ConfigurationError for a file of another origin than this start's, or of no emulator.
    """
    if path is None or not path.exists():
        return None
    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
        integration, its_origin = local_webex.read_sample_env(values)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            [f"{path} was not written, since it is there and not an emulator's: name a new file"]
        ) from error
    if its_origin != origin:
        raise ConfigurationError(
            [f"{path} is for the emulator at {its_origin}, not for {origin}: name a new file"]
        )
    return integration


def write_env_file(path: Path, text: str) -> None:
    """Write *text* for the owner's eyes only; raises ConfigurationError rather than overwrite."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(
            [f"{path} was not written ({error.strerror}): name a new file"]
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
