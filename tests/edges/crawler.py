"""The crawler: it reads the application's own table, goes everywhere, and judges every answer.

A route that is added tomorrow is crawled tomorrow; nobody has to remember this file.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie

from edges.client import FORM, Answer, Client
from scene import Scene

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SAFE_METHODS = frozenset({"GET", "HEAD"})
YEAR_SECONDS = 365 * 86400
MAX_COOKIE_BYTES = 4096
ASSET_LINK = re.compile(r'"((?:/[a-z]+)?/static/[^"]+)"')
ADDRESS = re.compile(r' (?:href|src|action)="([^"#]+)"')
PARAMETER = re.compile(r"\{[^}]+\}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the crawl and what came back."""

    method: str
    target: str
    is_signed_in: bool
    answer: Answer

    def __str__(self) -> str:
        who = "signed in" if self.is_signed_in else "signed out"
        return f"{self.method} {self.target[:60]} ({who}) → {self.answer.status}"

    @property
    def cookies(self) -> Iterator["Morsel[str]"]:
        for header in self.answer.all("set-cookie"):
            yield from SimpleCookie(header).values()

    @property
    def is_asset(self) -> bool:
        return "/static/" in self.target and self.answer.status == 200


Rule = Callable[[Exchange, Scene], Iterator[str]]
"""Give a sentence for everything that is wrong with an exchange."""


def crawl(clients: dict[bool, Client]) -> list[Exchange]:
    """Go everywhere by every method, signed out and signed in, and once into each refusal."""
    return [
        Exchange(method, target, is_signed_in, client.send(method, target, body, headers))
        for is_signed_in, client in clients.items()
        for method, target, body, headers in _requests(client)
    ]


def _requests(client: Client) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    for target in addresses(client):
        for method in METHODS:
            yield method, target, b"", {}
    home, callback = client.at("/"), client.scene.settings.callback_path
    yield "GET", f"{home}no/such/page", b"", {}
    yield "GET", f"{home}?" + "a" * 9000, b"", {}
    yield "GET", home, b"", {"x-filler": "a" * 17_000}
    yield "GET", home, b"", {"host": "elsewhere.example"}
    yield "POST", client.at("/login"), b"a=" + b"b" * 70_000, {"content-type": FORM}
    yield "GET", f"{callback}?code=a&code=b", b"", {}
    yield "GET", f"{callback}?error=access_denied&state=unknown", b"", {}
    yield "GET", home, b"", {"accept": "application/json", "host": "elsewhere.example"}


def addresses(client: Client) -> list[str]:
    """Return an address for every route, and every file that the home page loads."""
    paths = [PARAMETER.sub("nothing", path) for path in client.scene.pages]
    return [*paths, *ASSET_LINK.findall(client.get(client.at("/")).text)]


def violations(exchanges: list[Exchange], rule: Rule, scene: Scene) -> list[str]:
    """Judge all exchanges by one rule."""
    return [f"{one}: {wrong}" for one in exchanges for wrong in rule(one, scene)]


def cookies_are_pinned(exchange: Exchange, scene: Scene) -> Iterator[str]:
    """D03."""
    is_https = scene.origin.startswith("https:")
    for cookie in exchange.cookies:
        if not cookie["httponly"] or cookie["samesite"].lower() != "lax":
            yield f"{cookie.key} is not HttpOnly and SameSite=Lax"
        if cookie["path"] != "/" or cookie["domain"]:
            yield f"{cookie.key} is not for this host alone"
        if is_https and not (cookie["secure"] and cookie.key.startswith("__Host-")):
            yield f"{cookie.key} is not Secure with the __Host- prefix"
        if len(cookie.key) + len(cookie.value) >= MAX_COOKIE_BYTES:
            yield f"{cookie.key} is too large"


def csp_allows_nothing_foreign(exchange: Exchange, scene: Scene) -> Iterator[str]:
    """D11."""
    policy = _directives(exchange.answer.one("content-security-policy"))
    for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        if policy.get(name) != ["'none'"]:
            yield f"{name} is {policy.get(name)}"
    for name in ("script-src", "style-src"):
        if policy.get(name) != ["'self'"]:
            yield f"{name} is {policy.get(name)}"
    # Browsers hold form-action against every redirect on the way to Webex's last page.
    form = f'action="{scene.settings.path_of("/login")}"'
    leads_to_webex = form in exchange.answer.text
    is_strict = policy.get("form-action") == ["'self'"]
    if exchange.method != "HEAD" and is_strict == leads_to_webex:
        yield f"form-action is {policy.get('form-action')}"
    if not set(policy.get("img-src", ["*"])) <= {"'self'", scene.settings.platform.origin}:
        yield f"img-src is {policy.get('img-src')}"


def tls_is_remembered(exchange: Exchange, scene: Scene) -> Iterator[str]:
    """D12."""
    header = exchange.answer.one("strict-transport-security")
    if not scene.origin.startswith("https:"):
        if header:
            yield "HSTS on plain http"
        return
    age = re.search(r"max-age=(\d+)", header)
    if age is None or int(age[1]) < YEAR_SECONDS or "includesubdomains" not in header.lower():
        yield f"HSTS is {header!r}"


def browsers_are_restrained(exchange: Exchange, scene: Scene) -> Iterator[str]:  # noqa: ARG001 - a rule takes both
    """D13."""
    expected = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    for name, value in expected.items():
        if exchange.answer.one(name) != value:
            yield f"{name} is {exchange.answer.one(name)!r}"
    if "camera=()" not in exchange.answer.one("permissions-policy"):
        yield "the permissions policy allows devices"
    for name in ("server", "x-powered-by"):
        if exchange.answer.all(name):
            yield f"{name} is told"


def nothing_personal_is_cached(exchange: Exchange, scene: Scene) -> Iterator[str]:  # noqa: ARG001 - a rule takes both
    """D14."""
    answer = exchange.answer
    if exchange.is_asset:
        if answer.all("set-cookie") or "immutable" not in answer.one("cache-control"):
            yield "a file is not for everybody and for ever"
        return
    if answer.one("cache-control") != "no-store":
        yield f"cache-control is {answer.one('cache-control')!r}"
    if "cookie" not in answer.one("vary").lower():
        yield f"vary is {answer.one('vary')!r}"


def other_origins_get_nothing(exchange: Exchange, scene: Scene) -> Iterator[str]:  # noqa: ARG001 - a rule takes both
    """D15."""
    for name, value in exchange.answer.headers:
        if name.startswith("access-control-"):
            yield f"{name}: {value}"


def status_is_honest(exchange: Exchange, scene: Scene) -> Iterator[str]:  # noqa: ARG001 - a rule takes both
    """D20."""
    answer = exchange.answer
    if answer.status == 500:
        yield "the application broke"
    if answer.status == 405 and "GET" not in answer.one("allow"):
        yield f"allow is {answer.one('allow')!r}"
    if exchange.method not in {"GET", "HEAD", "POST"} and answer.status not in {405, 421}:
        yield "a method that no page has was taken"


def everything_is_below_the_base(exchange: Exchange, scene: Scene) -> Iterator[str]:
    """Check that nothing leads to another application of the same origin."""
    answer, settings = exchange.answer, scene.settings
    elsewhere = (f"{settings.platform.origin}/", "https://status.webex.com/")
    leads_to = answer.all("location")
    if answer.one("content-type").startswith("text/html"):
        leads_to += ADDRESS.findall(answer.text)
    for address in leads_to:
        path = address.removeprefix(settings.public_origin)
        if not path.startswith((settings.base_path, *elsewhere)):
            yield f"an address leads to {address}"


RULES: dict[str, Rule] = {
    "D03": cookies_are_pinned,
    "D11": csp_allows_nothing_foreign,
    "D12": tls_is_remembered,
    "D13": browsers_are_restrained,
    "D14": nothing_personal_is_cached,
    "D15": other_origins_get_nothing,
    "D20": status_is_honest,
}


def _directives(policy: str) -> dict[str, list[str]]:
    words = [directive.split() for directive in policy.split(";")]
    return {name: values for name, *values in words}
