"""Pages as bytes: a view names its template, and every template extends one layout."""

import hashlib
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from importlib import resources
from time import gmtime, strftime, struct_time
from typing import Any, ClassVar, Final, Self

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.filters import do_forceescape, do_mark_safe
from msgspec import Struct

from webex_oauth.secret import Secret
from webex_oauth.settings.pages import STATIC_FOLDER, PagePath
from webex_oauth.vault.rows import LAST_INSTANT
from webex_oauth.webex.scopes import describe

ROWS: Final = "<!-- rows -->"
"""Marks where a page's rows belong; escaped text cannot contain it."""

NAME: Final = do_mark_safe("<!-- name -->")
TOKEN: Final = do_mark_safe("<!-- token -->")
"""Mark where a name and a token belong in a page that is kept for everybody."""

KEPT_PAGES: Final = 128

_MEDIA_TYPES: Final = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
    "water.min.css": "text/css; charset=utf-8",
}
_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600


class View(Struct, frozen=True):
    """What a page shows besides its layout.

    Each page's subclass stands beside its handler. Text in a view is plain text, which the template
    escapes; instants are seconds since 1970 (UTC).
    """

    template: ClassVar[str]


class Layout(Struct, frozen=True):
    """What the layout shows of the person.

    `csrf_token` goes into every form that the page posts; it is None when nobody is signed in.
    `person_name` is None too when Webex gave no name.
    """

    csrf_token: Secret | None = None
    person_name: str | None = None


class About(Struct, frozen=True):
    """What every page says of the application.

    Its pages are below the path `base`. `help_url` is where people get help, as a link.
    `other_webex` is the host of a Webex that is neither the usual nor a local one; how to revoke
    tokens there is not known. `is_at_home` means that only the operator's machine can see the
    pages, `is_debugging` that sign-ins are logged.
    """

    name: str
    base: str = "/"
    help_url: str | None = None
    is_emulator: bool = False
    other_webex: str = ""
    is_at_home: bool = False
    is_debugging: bool = False

    def path(self, page: str) -> str:
        """Return the path of *page* as browsers ask for it."""
        return self.base + page.removeprefix("/")

    @property
    def help_text(self) -> str:
        """The help address as people write it."""
        return (self.help_url or "").removeprefix("mailto:")


class Asset(Struct, frozen=True):
    """A file that pages load: its address, its media type and its content."""

    path: str
    media_type: str
    content: bytes


class Assets:
    """The style sheets, script and icon, each at an address derived from its content.

    A changed file has a changed address, so browsers may cache each for good.
    """

    def __init__(self, content_by_name: Mapping[str, bytes], base: str = "/") -> None:
        self._by_name = {
            name: Asset(base + _asset_path(name, content), _MEDIA_TYPES[name], content)
            for name, content in content_by_name.items()
        }
        self.by_path: Mapping[str, Asset] = {one.path: one for one in self._by_name.values()}

    @classmethod
    def packaged(cls, base: str = "/") -> Self:
        """Read the files that come with this package, to be served below *base*."""
        folder = resources.files(__package__) / "static"
        return cls({name: (folder / name).read_bytes() for name in _MEDIA_TYPES}, base)

    def path(self, name: str) -> str:
        """Return the address of the file *name*; raises KeyError if there is none."""
        return self._by_name[name].path


class Pages:
    """The templates, compiled when this is made."""

    def __init__(self, assets: Assets, about: About) -> None:
        environment = page_environment(assets, about)
        self._template_by_name = {
            name: environment.get_template(name) for name in environment.list_templates()
        }
        form = f'<form method="post" action="{about.path(PagePath.LOGIN)}">'
        self._sign_in_form = form.encode()
        self._anyones_page = lru_cache(KEPT_PAGES)(self._render_for_anyone)

    def render(self, view: View, layout: Layout) -> bytes:
        """Return a whole page in UTF-8."""
        html = self._template_by_name[view.template].render(page=view, layout=layout)
        return html.encode("utf-8", "replace")

    def leads_to_webex(self, html: bytes) -> bool:
        """Return whether a page has the form of `partials/forms.html` that begins a sign-in.

        Foreign text is escaped, so it cannot contain that.
        """
        return self._sign_in_form in html

    def around_rows(self, view: View, layout: Layout) -> tuple[bytes, bytes]:
        """Return what stands before and after the rows of a page that has the mark ROWS.

        Pages are kept with marks where a person's name and token belong (decision 2).
        """
        opening, _, closing = self._page_of(view, layout).partition(ROWS.encode())
        return opening, closing

    def _page_of(self, view: View, layout: Layout) -> bytes:
        name, token = layout.person_name, layout.csrf_token
        if not name or token is None:
            return self.render(view, layout)
        page = self._anyones_page(view)
        # The name comes last: nothing in it is taken for a mark.
        page = page.replace(TOKEN.encode(), do_forceescape(token.reveal()).encode())
        return page.replace(NAME.encode(), do_forceescape(name).encode("utf-8", "replace"))

    def _render_for_anyone(self, view: View) -> bytes:
        return self.render(view, Layout(Secret(TOKEN), NAME))


class _PageEnvironment(Environment):
    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give templates a plain dict: looking up Jinja's chain of maps costs more than a page."""
        return {**self.globals, **(d or {})}


def page_environment(assets: Assets, about: About) -> Environment:
    """Return the templates' environment: it escapes everything and accepts nothing undefined."""
    environment = _PageEnvironment(
        loader=PackageLoader("webex_oauth.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals = {"app": about, "here": "", "is_leaving": False}
    environment.filters |= {
        "asset": assets.path,
        "describe": describe,
        "duration": duration_text,
        "initials": initials,
        "path": about.path,
        "utc_datetime": utc_datetime,
        "utc_text": utc_text,
    }
    return environment


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of *name*, or a question mark."""
    words = ([letter.upper() for letter in word if letter.isalnum()] for word in name.split())
    letters = [word[0] for word in words if word]
    if not letters:
        return "?"
    return letters[0] if len(letters) == 1 else letters[0] + letters[-1]


def utc_datetime(at: int) -> str:
    """Return *at* as the datetime attribute of a time element."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", _utc(at))


def utc_text(at: int) -> str:
    """Return *at* as people read it."""
    return strftime("%Y-%m-%d %H:%M UTC", _utc(at))


def duration_text(seconds: int) -> str:
    """Return how long a wait is, rounded up so that people do not come back too early."""
    if seconds <= 2 * _MINUTE_SECONDS:
        return _plural(seconds, "second")
    if seconds <= 2 * _HOUR_SECONDS:
        return _plural(-(-seconds // _MINUTE_SECONDS), "minute")
    return _plural(-(-seconds // _HOUR_SECONDS), "hour")


def _asset_path(name: str, content: bytes) -> str:
    return f"{STATIC_FOLDER[1:]}{hashlib.sha256(content).hexdigest()[:16]}/{name}"


def _utc(at: int) -> struct_time:
    return gmtime(min(max(at, 0), LAST_INSTANT))


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
