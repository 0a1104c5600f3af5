"""The OAuth Authorization URL that the Developer Portal shows for an integration."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode

from webex_oauth.settings.urls import is_https_or_loopback, origin_of, split_url
from webex_oauth.webex.platform import BROKER_ORIGINS, PRODUCTION_ORIGIN

AUTHORIZE_PATH: Final = "/v1/authorize"
BROKER_PATH: Final = "/idb/oauth2/v1/authorize"
COPY: Final = (
    "copy the whole 'OAuth Authorization URL' of your integration from the Developer Portal"
)
SETTINGS: Final = frozenset({"client_id", "redirect_uri", "scope", "response_type"})
EVERY_SIGN_IN_HAS_ITS_OWN: Final = "every sign-in gets its own"
NOT_SENT: Final[Mapping[str, str]] = {
    "state": EVERY_SIGN_IN_HAS_ITS_OWN,
    "code_challenge": EVERY_SIGN_IN_HAS_ITS_OWN,
    "code_challenge_method": EVERY_SIGN_IN_HAS_ITS_OWN,
    "nonce": "no id_token is read",
    "response_mode": "the answer must come in the query of the redirect URI",
    "request": "Webex takes no request objects",
    "request_uri": "Webex takes no request objects",
}
PLACEHOLDER: Final = ("state", "set_state_here")
SECRETS: Final = ("secret", "token", "password", "code_verifier")
UNKNOWN_WEBEX: Final = (
    "is a Webex that this program does not know. The client secret and people's tokens go there: "
    "make sure that it is right. Where it revokes tokens is unknown: a sign-out forgets them here, "
    "and they end by themselves there"
)


@dataclass(frozen=True, slots=True)
class PortalUrl:
    """What the URL says, and what is wrong with it.

    `fields` are settings, and under `origin` where it leads; `query` is what it asks for besides,
    which goes along with every sign-in.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_portal_url(text: str) -> PortalUrl:
    """Read *text*; nothing in it is dropped without a word."""
    parts = split_url(text) if text.isprintable() else None
    if parts is None or not parts.netloc:
        return PortalUrl(mistakes=(f"AUTH_INIT_URL is not a URL: {COPY}",))
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
    except ValueError:
        return PortalUrl(mistakes=(f"AUTH_INIT_URL is not percent-encoded UTF-8: {COPY}",))
    fields = {name: value for name, value in pairs if name in SETTINGS}
    further = [(name, value) for name, value in pairs if name not in SETTINGS | NOT_SENT.keys()]
    origin = PRODUCTION_ORIGIN if _is_brokers(parts) else origin_of(parts)
    return PortalUrl(
        fields=fields | {"origin": origin},
        query=urlencode(further),
        mistakes=(*_mistakes_of_place(parts), *_mistakes_of_query(pairs)),
        warnings=tuple(_warnings(parts, pairs)),
    )


def _is_brokers(parts: SplitResult) -> bool:
    """Return whether this is where Webex's front door hands browsers on to."""
    return origin_of(parts) in BROKER_ORIGINS


def _mistakes_of_place(parts: SplitResult) -> Iterator[str]:
    if not is_https_or_loopback(parts):
        yield "AUTH_INIT_URL must begin with https://"
    if parts.fragment or parts.username is not None:
        yield f"AUTH_INIT_URL must have no fragment (#) and no user name (@): {COPY}"
    if parts.path.rstrip("/") != (BROKER_PATH if _is_brokers(parts) else AUTHORIZE_PATH):
        yield (
            f"AUTH_INIT_URL leads to the path {parts.path[:80]!a}, which is not Webex's "
            f"{AUTHORIZE_PATH}: {COPY}"
        )


def _mistakes_of_query(pairs: list[tuple[str, str]]) -> Iterator[str]:
    counts = Counter(name for name, _ in pairs)
    for name in counts:
        shown = ascii(name[:40])
        if counts[name] > 1:
            yield f"AUTH_INIT_URL has more than one {shown}: keep the right one"
        if name.startswith("amp;"):
            yield f"AUTH_INIT_URL has &amp; where & belongs: {COPY}"
        elif any(part in name.lower() for part in SECRETS):
            yield f"AUTH_INIT_URL has {shown}, which must not go through a browser: remove it"
    if dict(pairs).get("response_type", "code") != "code":
        yield "AUTH_INIT_URL must ask for response_type=code"


def _warnings(parts: SplitResult, pairs: list[tuple[str, str]]) -> Iterator[str]:
    if _is_brokers(parts):
        yield (
            "AUTH_INIT_URL is the address of Webex's identity broker, as an address bar shows it: "
            f"{PRODUCTION_ORIGIN}{AUTHORIZE_PATH} is used, which the Developer Portal shows"
        )
    for name, value in pairs:
        if name in NOT_SENT and (name, value) != PLACEHOLDER:
            yield f"AUTH_INIT_URL's {name} is not sent: {NOT_SENT[name]}"
