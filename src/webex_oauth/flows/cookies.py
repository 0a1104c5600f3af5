"""The cookies: one for the session, one for each attempt; opaque, host-only, never a token.

On https they carry the __Host- prefix, which pins them to this host and to TLS. On plain
http://localhost they cannot: Safari drops Secure cookies there. Cookies know no ports, so the names
end in a mark of their own: several applications on one host leave one another's cookies alone.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from webex_oauth.flows.sign_in import ATTEMPT_SECONDS
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret
from webex_oauth.vault.records import MARK_KEPT_SECONDS

SESSION = "webex_oauth_session"
ATTEMPT = "webex_oauth_attempt"
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
BLANK = b" \t"
ATTEMPT_ID = re.compile(r"[0-9a-f]{16}")
STARTED_AT = re.compile(r"[0-9a-f]{1,12}")
VALUE = re.compile(r"[A-Za-z0-9._-]*")
MAX_ATTEMPTS = 8
MAX_ATTEMPT_BYTES = 4096
ATTEMPT_COOKIE_SECONDS = ATTEMPT_SECONDS + MARK_KEPT_SECONDS

HeaderList = Iterable[tuple[bytes, bytes]]


def read_cookies(headers: HeaderList) -> dict[str, str]:
    """Return the cookies that a browser presents, except those it presents twice.

    Octets are judged as RFC 6265 does: a name that browsers read differently from here would get
    around the prefix of ours, and of two cookies with one name only one can be ours. Values stay as
    they came, because none of ours is quoted.
    """
    cookies: dict[bytes, bytes] = {}
    repeated = set[bytes]()
    for key, header in headers:
        if key == b"cookie":
            for pair in header.split(b";"):
                name, equals, value = pair.partition(b"=")
                name = name.strip(BLANK)
                if not equals or not NAME.fullmatch(name):
                    continue
                if name in cookies:
                    repeated.add(name)
                cookies[name] = value.strip(BLANK)
    return {
        name.decode("ascii"): value.decode("latin-1")
        for name, value in cookies.items()
        if name not in repeated
    }


class CookieJar:
    """Read and write the cookies of the application that *client* is registered for."""

    def __init__(self, client: Client) -> None:
        is_https = urlsplit(client.redirect_uri).scheme == "https"
        prefix, self._pinned = ("__Host-", "; Secure") if is_https else ("", "")
        registered = f"{client.client_id} {client.redirect_uri}"
        mark = hashlib.sha256(registered.encode()).hexdigest()[:8]
        self.session_name = f"{prefix}{SESSION}_{mark}"
        self.attempt_prefix = f"{prefix}{ATTEMPT}_{mark}_"

    def session_id(self, presented: Mapping[str, str]) -> Secret | None:
        """Find the session id that the browser presents."""
        value = presented.get(self.session_name)
        return Secret(value) if value else None

    def attempt(self, presented: Mapping[str, str], attempt_id: str) -> Secret | None:
        """Find the sealed attempt that the browser presents."""
        value = presented.get(self.attempt_prefix + attempt_id)
        return Secret(value.partition(".")[2]) if value else None

    def kept_session(self, session_id: Secret, lifetime_seconds: int) -> str:
        """Return the cookie that gives the browser its session id."""
        return self._cookie(self.session_name, session_id.reveal(), lifetime_seconds)

    def dropped_session(self) -> str:
        """Return the cookie that takes the session id away from the browser."""
        return self._cookie(self.session_name, "", 0)

    def kept_attempt(
        self, presented: Mapping[str, str], attempt_id: str, attempt: Secret, now: int
    ) -> Iterator[str]:
        """Yield the cookies that give an attempt to this browser.

        The oldest ones are dropped beyond MAX_ATTEMPTS, and beyond MAX_ATTEMPT_BYTES in all: so
        proxies pass the browser's head on.
        """
        name, value = self.attempt_prefix + attempt_id, f"{now:x}.{attempt.reveal()}"
        yield self._cookie(name, value, ATTEMPT_COOKIE_SECONDS)
        count, size = 1, len(name) + len(value)
        for _, old_id, old_size in sorted(self._attempts(presented), reverse=True):
            count, size = count + 1, size + old_size
            if count > MAX_ATTEMPTS or size > MAX_ATTEMPT_BYTES:
                yield self._cookie(self.attempt_prefix + old_id, "", 0)

    def count_attempts(self, presented: Mapping[str, str], seconds: int) -> int:
        """Return how many sign-ins this browser began in the *seconds* before its latest."""
        began_at = [one for one, _, _ in self._attempts(presented)]
        return sum(one >= max(began_at) - seconds for one in began_at)

    def all_dropped(self, presented: Mapping[str, str]) -> Iterator[str]:
        """Yield the cookies that take everything away at sign-out."""
        yield self.dropped_session()
        for _, attempt_id, _ in self._attempts(presented):
            yield self._cookie(self.attempt_prefix + attempt_id, "", 0)

    def _attempts(self, presented: Mapping[str, str]) -> Iterator[tuple[int, str, int]]:
        """Yield when each attempt began, its id and its size."""
        for name, value in presented.items():
            attempt_id = name.removeprefix(self.attempt_prefix)
            if name.startswith(self.attempt_prefix) and ATTEMPT_ID.fullmatch(attempt_id):
                yield _started_at(value), attempt_id, len(name) + len(value)

    def _cookie(self, name: str, value: str, lifetime_seconds: int) -> str:
        """Write the header by hand, which costs a tenth of http.cookies (RFC 6265 section 4.1)."""
        if not VALUE.fullmatch(value):
            raise ValueError("a cookie's value has characters that none of ours has")
        attributes = f"HttpOnly; Max-Age={lifetime_seconds}; Path=/; SameSite=lax{self._pinned}"
        return f"{name}={value}; {attributes}"


def _started_at(value: str) -> int:
    """Read when the attempt began; what cannot be read counts as oldest."""
    started_at, _, _ = value.partition(".")
    return int(started_at, 16) if STARTED_AT.fullmatch(started_at) else 0
