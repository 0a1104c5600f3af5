"""Where things are kept: the store's URL and the files, and what is wrong or odd about them."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from webex_oauth.settings.names import SQLITE
from webex_oauth.settings.urls import split_url
from webex_oauth.webex.platform import is_loopback_host

MEMORY: Final = "memory:"
STORE_URL_REMEDY: Final = (
    "WEBEX_STORE_URL must be sqlite:///PATH (four slashes for an absolute path), "
    "postgresql://USER:PASSWORD@HOST/DATABASE, redis://:PASSWORD@HOST (rediss:// for TLS), or "
    "memory: to forget everything at exit"
)
STORE_URL: Final = re.compile(r"memory:|sqlite:///.+|postgresql://.+|rediss?://.+")
CREDENTIALS: Final = re.compile(r"(?<=://)([^:/?#@]*):.*@", re.DOTALL)
SECRET_FIELD: Final = re.compile(r"(?i)(?<=[?&])([^=&]*(?:pass|secret|token)[^=&]*)=[^&#]*")


def without_password(url: str) -> str:
    """Return a URL in which every secret is hidden."""
    return SECRET_FIELD.sub(r"\1=***", CREDENTIALS.sub(r"\1:***@", url))


def store_url_remedy(url: str) -> str | None:
    """Return what is wrong with a store's URL; it may hold a password and is not repeated."""
    if split_url(url) is None or not STORE_URL.fullmatch(url):
        return STORE_URL_REMEDY
    if url.startswith(SQLITE):
        return file_remedy("WEBEX_STORE_URL", Path(url.removeprefix(SQLITE)))
    return None


def file_remedy(name: str, path: Path) -> str | None:
    """Return what to do if the setting *name* leads to a folder and not to a file."""
    with suppress(OSError):  # a path that cannot be inspected is reported when it is opened
        if path.is_dir():
            return f"{name} leads to a folder, {path}: name a file in it"
    return None


def store_url_doubt(url: str) -> str | None:
    """Return a warning if what is kept would travel to another machine in the clear."""
    parts = split_url(url)
    if parts is None or parts.scheme not in {"postgresql", "redis"}:
        return None
    fields = dict(parse_qsl(parts.query))
    named = (parts.netloc.rpartition("@")[2], fields.get("host", ""), fields.get("hostaddr", ""))
    if all(_is_on_this_machine(host) for host in ",".join(named).split(",")):
        return None
    if parts.scheme == "redis":
        return (
            "WEBEX_STORE_URL leads to another machine without TLS, password and all: use rediss://"
        )
    if fields.get("sslmode") in {"verify-full", "verify-ca"}:
        return None
    return (
        "WEBEX_STORE_URL leads to another machine and does not check who answers there: add "
        "?sslmode=verify-full"
    )


def _is_on_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return not name or name.startswith(("/", "%2F")) or is_loopback_host(name.strip("[]"))


def one_folder_doubt(store_url: str, keys_file: Path) -> str | None:
    """Return a warning if one copy of a folder has both the store and its keys."""
    folder = Path(store_url.removeprefix(SQLITE)).parent
    if keys_file.parent != folder:
        return None
    return (
        f"store and keys lie in one folder, {folder}, so that one copy of it has both: set "
        "WEBEX_KEYS_FILE to a folder of its own that backups leave out"
    )
