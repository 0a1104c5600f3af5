"""The cookies: one for the session, one for each attempt; opaque, host-only, never a token.

On https they carry the __Host- prefix, which pins them to this host and to TLS. On plain
http://localhost they cannot: Safari drops Secure cookies there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from webex_oauth.secret import Secret

SESSION = "webex_oauth_session"
ATTEMPT = "webex_oauth_attempt_"
ATTEMPT_ID = re.compile(r"[0-9a-f]{16}")
VALUE = re.compile(r"[A-Za-z0-9._-]*")
MAX_ATTEMPTS = 8
ATTEMPT_SECONDS = 600

HeaderList = Iterable[tuple[bytes, bytes]]


def read_cookies(headers: HeaderList) -> dict[str, str]:
    """Read what the browser presents; values stay as they came, for none of ours is quoted."""
    cookies: dict[str, str] = {}
    for key, header in headers:
        if key == b"cookie":
            for pair in header.decode("latin-1").split(";"):
                name, _, value = pair.partition("=")
                cookies[name.strip()] = value.strip()
    return cookies


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Read and write this application's cookies; `is_https` decides their names."""

    is_https: bool

    def session_id(self, presented: Mapping[str, str]) -> Secret | None:
        """Find the session id that the browser presents."""
        value = presented.get(self._name(SESSION))
        return Secret(value) if value else None

    def attempt_secret(self, presented: Mapping[str, str], attempt_id: str) -> Secret | None:
        """Find the secret that binds an attempt to this browser."""
        value = presented.get(self._name(ATTEMPT + attempt_id))
        return Secret(value.partition(".")[2]) if value else None

    def keep_session(self, response: Response, session_id: Secret, lifetime_seconds: int) -> None:
        """Give the browser its session id."""
        self._set(response, SESSION, session_id.reveal(), lifetime_seconds)

    def drop_session(self, response: Response) -> None:
        """Take the session id away from the browser."""
        self._set(response, SESSION, "", 0)

    def keep_attempt(
        self,
        response: Response,
        presented: Mapping[str, str],
        attempt_id: str,
        browser_secret: Secret,
        now: int,
    ) -> None:
        """Bind an attempt to this browser; beyond MAX_ATTEMPTS the oldest ones are dropped."""
        value = f"{now:x}.{browser_secret.reveal()}"
        self._set(response, ATTEMPT + attempt_id, value, ATTEMPT_SECONDS)
        for old_id in self._attempt_ids_oldest_first(presented)[: -(MAX_ATTEMPTS - 1)]:
            self._set(response, ATTEMPT + old_id, "", 0)

    def drop_all(self, response: Response, presented: Mapping[str, str]) -> None:
        """Take everything away at sign-out."""
        self.drop_session(response)
        for attempt_id in self._attempt_ids_oldest_first(presented):
            self._set(response, ATTEMPT + attempt_id, "", 0)

    def _attempt_ids_oldest_first(self, presented: Mapping[str, str]) -> list[str]:
        return [attempt_id for _, attempt_id in sorted(self._attempts(presented))]

    def _attempts(self, presented: Mapping[str, str]) -> Iterator[tuple[int, str]]:
        prefix = self._name(ATTEMPT)
        for name, value in presented.items():
            attempt_id = name.removeprefix(prefix)
            if name.startswith(prefix) and ATTEMPT_ID.fullmatch(attempt_id):
                yield _started_at(value), attempt_id

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.is_https else name

    def _set(self, response: Response, name: str, value: str, lifetime_seconds: int) -> None:
        """Write the header by hand, which costs a tenth of http.cookies (RFC 6265 section 4.1)."""
        if not VALUE.fullmatch(value):
            raise ValueError("a cookie's value has characters that none of ours has")
        pinned = "; Secure" if self.is_https else ""
        cookie = (
            f"{self._name(name)}={value}; "
            f"HttpOnly; Max-Age={lifetime_seconds}; Path=/; SameSite=lax{pinned}"
        )
        response.raw_headers.append((b"set-cookie", cookie.encode("ascii")))


def _started_at(value: str) -> int:
    """Read when the attempt began; what cannot be read counts as oldest."""
    try:
        return int(value.partition(".")[0][:12], 16)
    except ValueError:
        return 0
