"""The names of the settings, and their values: cleaned of what copying does to them.

Also what a client id and a client secret of Webex look like, and what is pasted instead.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

NAMES: Final = frozenset(
    {
        "AUTH_INIT_URL",
        "CLIENT_SECRET",
        "CLIENT_SECRET_FILE",
        "STATE",
        "PORT",
        "DEBUG",
        "WEBEX_CLIENT_ID",
        "WEBEX_REDIRECT_URI",
        "WEBEX_SCOPES",
        "WEBEX_PERSON",
        "WEBEX_ORIGIN",
        "WEBEX_TOKEN_ORIGINS",
        "WEBEX_APP_NAME",
        "WEBEX_HELP",
        "WEBEX_HOST",
        "WEBEX_WORKERS",
        "WEBEX_STORE_URL",
        "WEBEX_KEYS_FILE",
        "WEBEX_KEYS",
        "WEBEX_KEEP_GRANTS",
        "WEBEX_KEEPER",
        "WEBEX_IDLE_SECONDS",
        "WEBEX_ABSOLUTE_SECONDS",
        "WEBEX_PROXY",
        "WEBEX_CA_FILE",
    }
)
PATH_NAMES: Final = frozenset(
    {"CLIENT_SECRET_FILE", "WEBEX_STORE_URL", "WEBEX_KEYS_FILE", "WEBEX_CA_FILE"}
)
ONE_LINE_NAMES: Final = frozenset({"CLIENT_SECRET", "WEBEX_CLIENT_ID"})
IGNORED_ENVIRONMENT: Final = {
    "HTTPS_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "HTTP_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "ALL_PROXY": "set WEBEX_PROXY if Webex is behind a proxy",
    "SSL_CERT_FILE": "set WEBEX_CA_FILE if a proxy replaces certificates",
    "SSLKEYLOGFILE": "keys of connections are never written down",
}
SQLITE: Final = "sqlite:///"
CLOSE: Final = 0.85
ASCII_SPACE: Final = " \t\r\n"
QUOTES: Final = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
COMMENT: Final = re.compile(r"(?:^|\s+)#.*", re.DOTALL)
SHELL: Final = re.compile(r"~|.*\$[A-Za-z_{(]", re.DOTALL)
PLACEHOLDER: Final = re.compile(
    r"(?i)<.*>|x{3,}|\.{3}|[*\u2022\u25cf]{3,}|\$\w+|\$?\{.*\}|%\w+%|to-?do"
    r"|(change|replace)[-_ ]?(me|it|this)|client[-_ ]?(id|secret)"
    r"|(your|my|the|paste|insert|put|enter)[-_ ].*|.*[-_ ]here",
    re.DOTALL,
)
CLIENT_ID: Final = re.compile(r"C[0-9a-f]{64}")
INVENTED_ID: Final = re.compile(r"C[0-9a-f]{1,31}")
"""Too short for a copy that lost its end: an id for trying things out."""

CLIENT_SECRET: Final = re.compile(r"[0-9a-f]{64}")
ACCESS_TOKEN: Final = re.compile(r"[\w+/-]{16,}_\w{4}_[0-9a-f-]{36}", re.ASCII)
EMULATOR_PREFIX: Final = "emulator-"
REGENERATE: Final = (
    "the Developer Portal shows it once, when the integration is created; 'Regenerate' there "
    "makes a new one"
)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return words that suggest the known name closest to *name*; nothing if none is close."""
    names = set(known)
    nearest = [other for other in (f"WEBEX_{name}", name.removeprefix("WEBEX_")) if other in names]
    nearest += difflib.get_close_matches(name, names, n=1, cutoff=CLOSE)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def is_placeholder(text: str) -> bool:
    """Return whether *text* stands for a value that was never filled in."""
    return PLACEHOLDER.fullmatch(text) is not None


def path_in(name: str, text: str) -> str:
    """Return the path in the value of a setting; nothing if there is none."""
    if name not in PATH_NAMES or (name == "WEBEX_STORE_URL" and not text.startswith(SQLITE)):
        return ""
    return text.removeprefix(SQLITE)


def cleaned(name: str, value: str) -> tuple[str, tuple[str, ...]]:
    """Return *value* as it was meant, and what is wrong with how it is written."""
    mistakes = []
    text = value.strip(ASCII_SPACE)
    for clean, mistake in _CLEANERS.items():
        text, before = clean(name, text), text
        if text != before:
            mistakes.append(f"{name} {mistake or _invisible_character_in(before)}")
    path = path_in(name, text)
    if SHELL.match(path):
        sign = "~" if path.startswith("~") else "$"
        mistakes.append(
            f"{name} has {sign} in it, which only a shell expands: write the whole path"
        )
    return text, tuple(mistakes)


def _without_invisible(name: str, text: str) -> str:
    allowed = "\n\r" if name == "WEBEX_KEYS" else ""
    return "".join(c for c in text if c in allowed or not _is_invisible(c))


def _without_quotes(_: str, text: str) -> str:
    # A secret may end in a quote of its own (RFC 6749 appendix A.2).
    return text.strip(QUOTES + ASCII_SPACE) if text[:1] in QUOTES else text


def _without_comment(_: str, text: str) -> str:
    return COMMENT.sub("", text, count=1)


def _without_breaks(name: str, text: str) -> str:
    if name not in ONE_LINE_NAMES or is_placeholder(text):
        return text
    whole = "".join(text.split())
    # A secret may have spaces (RFC 6749 appendix A.2), but Webex's are letters and digits.
    is_meant = " " in text and text.isprintable() and not whole.isalnum()
    return text if is_meant else whole


def _is_invisible(character: str) -> bool:
    if character.isascii():
        return not character.isprintable() and not character.isspace()
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}


def _invisible_character_in(text: str) -> str:
    first = next(character for character in text if _is_invisible(character))
    named = unicodedata.name(first, "a control, or half of a character").lower()
    return f"has an invisible character in it (U+{ord(first):04X}, {named}): type it anew"


def client_id_remedy(client_id: str) -> str | None:
    """Return what is wrong with a client id, and what to do."""
    if not client_id:
        return (
            "no client id: set AUTH_INIT_URL to the 'OAuth Authorization URL' that the Developer "
            "Portal shows for your integration (or set WEBEX_CLIENT_ID)"
        )
    if is_placeholder(client_id):
        return "the client id is a placeholder: put your integration's own"
    if CLIENT_SECRET.fullmatch(client_id):
        return "the client id is a client secret: put the id, which begins with C"
    if ACCESS_TOKEN.fullmatch(client_id):
        return "the client id is an access token: put your integration's own"
    return None


def client_secret_remedy(secret: str, client_id: str) -> str | None:
    """Return what is wrong with a client secret, and what to do; the secret is not repeated."""
    if not secret:
        return f"CLIENT_SECRET is missing: {REGENERATE}"
    if is_placeholder(secret):
        return "CLIENT_SECRET is a placeholder: put your integration's own"
    if CLIENT_ID.fullmatch(secret) or compare_digest(secret.encode(), client_id.encode()):
        return f"CLIENT_SECRET is a client id: put the secret; {REGENERATE}"
    if ACCESS_TOKEN.fullmatch(secret):
        return (
            "CLIENT_SECRET is an access token, of a bot or of a person: put the Client Secret of "
            "your integration"
        )
    return None


def credentials_doubt(client_id: str, secret: str) -> str | None:
    """Return a warning if a client id, or the secret beside one, is unlike those of Webex."""
    if INVENTED_ID.fullmatch(client_id):
        return None
    if not CLIENT_ID.fullmatch(client_id):
        return (
            f"the client id has {len(client_id)} characters; Webex's are C and 64 hexadecimal "
            "digits: was all of it copied?"
        )
    if not CLIENT_SECRET.fullmatch(secret):
        return (
            "CLIENT_SECRET does not look like one of Webex's, which are 64 hexadecimal digits in "
            "lower case: was all of it copied, and nothing else?"
        )
    return None


_CLEANERS: Final = {
    _without_invisible: "",
    _without_quotes: (
        "is in quotes, which belong to the value if no shell reads it "
        "(`docker run --env-file`): write it without"
    ),
    _without_comment: (
        "has a comment behind it, which belongs to the value here: give the comment a line "
        "of its own"
    ),
    _without_breaks: "has a space or line break in it: put all of it on one line, without spaces",
}
