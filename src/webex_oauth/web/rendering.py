"""Pages as bytes: each view goes through the one template of its type."""

import hashlib
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from time import gmtime, strftime, struct_time
from typing import Any, Final, Self

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from webex_oauth.secret import Secret
from webex_oauth.web.views import (
    Account,
    ConfirmSignInPage,
    DisconnectedPage,
    DisconnectPage,
    FailurePage,
    Frame,
    HomePage,
    Page,
    PersonPage,
    RoomsPage,
    SessionsPage,
    SignedOutPage,
    SignInAgain,
    SignOutPage,
    UnnamedPersonPage,
)

LATEST_INSTANT: Final = 253_402_300_799
"""The end of the year 9999, the last that a date can name."""

PREFIX: Final = "/static/"
CACHE_CONTROL: Final = "public, max-age=31536000, immutable"

_MEDIA_TYPES: Final = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "water.min.css": "text/css; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its address on this server, its media type and its bytes."""

    path: str
    media_type: str
    content: bytes


class Assets:
    """All files that pages load, read once."""

    def __init__(self, content_by_name: Mapping[str, bytes]) -> None:
        self._by_name = {
            name: Asset(_path(name, content), _MEDIA_TYPES[name], content)
            for name, content in content_by_name.items()
        }
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    @classmethod
    def packaged(cls) -> Self:
        """Read the files that come with this package."""
        folder = resources.files(__package__) / "static"
        return cls({name: (folder / name).read_bytes() for name in _MEDIA_TYPES})

    def path(self, name: str) -> str:
        """Give the address of the file *name*; raises KeyError when there is none."""
        return self._by_name[name].path

    @property
    def paths(self) -> Collection[str]:
        """The addresses of all files."""
        return self._by_path.keys()

    def find(self, path: str) -> Asset | None:
        """Find the file whose address is exactly *path*."""
        return self._by_path.get(path)


def _path(name: str, content: bytes) -> str:
    return f"{PREFIX}{hashlib.sha256(content).hexdigest()[:16]}/{name}"


TEMPLATE_BY_VIEW: Final[Mapping[type, str]] = {
    ConfirmSignInPage: "confirm_sign_in.html",
    DisconnectedPage: "disconnected.html",
    DisconnectPage: "disconnect.html",
    FailurePage: "failure.html",
    HomePage: "home.html",
    PersonPage: "person.html",
    RoomsPage: "rooms.html",
    SessionsPage: "sessions.html",
    SignedOutPage: "signed_out.html",
    SignOutPage: "sign_out.html",
    UnnamedPersonPage: "unnamed_person.html",
}

ROWS: Final = "<!-- rows -->"
"""Stands in the page of spaces where its rows belong; escaped text has no way to say it."""

NAME: Final = Markup("<!-- name -->")
TOKEN: Final = Markup("<!-- token -->")
"""Stand in a page that is kept for what only one person may see."""

KEPT_PAGES: Final = 128

_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600


class Pages:
    """Render views; every template is compiled when this is made."""

    def __init__(self, assets: Assets) -> None:
        environment = page_environment(assets)
        self._template_by_view: dict[type, Template] = {
            view: environment.get_template(name) for view, name in TEMPLATE_BY_VIEW.items()
        }
        self._around_anyones_rows = lru_cache(KEPT_PAGES)(self._write_around_anyones_rows)

    def render(self, page: Page) -> bytes:
        """Write a whole page."""
        return _octets(self._text(page))

    def around_rows(self, page: RoomsPage) -> tuple[bytes, bytes]:
        """Write what stands before and after the rows of `rooms_table.room_rows`."""
        account, token = page.frame.account, page.frame.csrf_token
        is_usual = not (page.filter_text or page.interruption or page.unreadable_count)
        if not (is_usual and account and account.name and token):
            return self._write_around_rows(page)
        # Most lists differ in a name and a token only; rendering costs five times this.
        opening, closing = self._around_anyones_rows(
            is_emulator=page.frame.is_emulator,
            is_debugging=page.frame.is_debugging,
            shown_count=page.shown_count,
            total_count=page.total_count,
        )
        with_token = opening.replace(_octets(TOKEN), _octets(escape(token.reveal())))
        return with_token.replace(_octets(NAME), _octets(escape(account.name))), closing

    def _write_around_anyones_rows(
        self, *, is_emulator: bool, is_debugging: bool, shown_count: int, total_count: int
    ) -> tuple[bytes, bytes]:
        frame = Frame(Account(NAME), Secret(TOKEN), is_emulator, is_debugging)
        return self._write_around_rows(RoomsPage(frame, "", shown_count, total_count, 0, None))

    def _write_around_rows(self, page: RoomsPage) -> tuple[bytes, bytes]:
        opening, _, closing = self._text(page).partition(ROWS)
        return _octets(opening), _octets(closing)

    def _text(self, view: Page | RoomsPage) -> str:
        return self._template_by_view[type(view)].render(page=view)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")


class _PageEnvironment(Environment):
    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give templates a plain dict: reading Jinja's chain of maps costs more than a page."""
        return {**self.globals, **(d or {})}


def page_environment(assets: Assets) -> Environment:
    """Make the environment of the templates: everything is escaped, nothing may be undefined."""
    environment = _PageEnvironment(
        loader=PackageLoader("webex_oauth.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals = {"here": "", "is_leaving": False}
    environment.filters |= {
        "asset": assets.path,
        "duration": duration_text,
        "initials": initials,
        "utc_datetime": utc_datetime,
        "utc_text": utc_text,
    }
    environment.tests["sign_in_again"] = _is_sign_in_again
    return environment


def initials(name: str) -> str:
    """Take the first letter of the first and of the last word of *name*.

    A name without a letter or digit gives a question mark.
    """
    letters = [letter for word in name.split() if (letter := _first_letter(word))]
    if not letters:
        return "?"
    return letters[0] if len(letters) == 1 else letters[0] + letters[-1]


def utc_datetime(at: int) -> str:
    """Write *at* for the datetime attribute of a time element."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", _utc(at))


def utc_text(at: int) -> str:
    """Write *at* for people."""
    return strftime("%Y-%m-%d %H:%M UTC", _utc(at))


def duration_text(seconds: int) -> str:
    """Write how long a wait is; rounded up, so that nobody comes back too early."""
    if seconds <= 2 * _MINUTE_SECONDS:
        return _plural(seconds, "second")
    if seconds <= 2 * _HOUR_SECONDS:
        return _plural(-(-seconds // _MINUTE_SECONDS), "minute")
    return _plural(-(-seconds // _HOUR_SECONDS), "hour")


def _is_sign_in_again(value: object) -> bool:
    return isinstance(value, SignInAgain)


def _first_letter(word: str) -> str:
    return next((character.upper() for character in word if character.isalnum()), "")


def _utc(at: int) -> struct_time:
    return gmtime(min(max(at, 0), LATEST_INSTANT))


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
