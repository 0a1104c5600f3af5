"""Forged requests: every unsafe route of the application's own table, in every way a forger has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from edges.client import FORM, Client
from edges.crawler import SAFE_METHODS
from scene import Scene

FORGERY_COUNT = 9
EVIL = "https://evil.example"
NEEDS_NO_TOKEN = frozenset({("POST", "/login")})
"""It begins what a link to GET /login begins; neither changes anything of a session."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """A request that the person did not mean: the fields and headers that it brings."""

    name: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    is_about_token: bool


def unsafe_routes(scene: Scene) -> list[tuple[str, str]]:
    """Return method and path of everything that may change something."""
    return [
        (method, path)
        for path, handler_by_method in scene.pages.items()
        for method in sorted(handler_by_method.keys() - SAFE_METHODS)
    ]


def forgeries(victim: Client, other_token: str, token_before_sign_in: str) -> Iterator[Forgery]:
    """Return what a forger can send in the victim's browser."""
    own = {"origin": victim.scene.origin, "sec-fetch-site": "same-origin"}
    good = {"csrf_token": victim.csrf_token()}
    yield Forgery("no token", {}, own, is_about_token=True)
    yield Forgery("a wrong token", {"csrf_token": "0" * 64}, own, is_about_token=True)
    yield Forgery("another session's token", {"csrf_token": other_token}, own, is_about_token=True)
    yield Forgery(
        "a token from before the sign-in",
        {"csrf_token": token_before_sign_in},
        own,
        is_about_token=True,
    )
    for site in ("cross-site", "same-site"):
        headers = own | {"sec-fetch-site": site}
        yield Forgery(site, good, headers, is_about_token=False)
    yield Forgery("another origin", good, {"origin": EVIL}, is_about_token=False)
    hidden = {"origin": "null", "sec-fetch-site": "cross-site"}
    yield Forgery("a hidden origin", good, hidden, is_about_token=False)
    # What a browser without Sec-Fetch-Site sends from a page that hides its origin, as ours do.
    yield Forgery("silence and no token", {}, {"origin": "null"}, is_about_token=True)


def accepted(victim: Client, forgery: Forgery) -> list[str]:
    """Send a forgery to every unsafe route; name those that did not answer 403."""
    body, headers = urlencode(forgery.fields).encode(), {"content-type": FORM, **forgery.headers}
    return [
        f"{method} {path} took {forgery.name}"
        for method, path in unsafe_routes(victim.scene)
        if not (forgery.is_about_token and (method, path) in NEEDS_NO_TOKEN)
        and victim.send(method, path, body, headers).status != 403
    ]
