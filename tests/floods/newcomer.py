"""A newcomer: somebody who begins to sign in, and may stay away for long before they come back."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import requests

from webex_oauth.emulator import Visitor

SECONDS = 30


@dataclass
class Newcomer:
    """A browser on its way through a sign-in."""

    port: int
    email: str
    http: requests.Session = field(default_factory=requests.Session)
    url: str = ""

    def begin(self) -> None:
        """Press the button."""
        answer = self._get(f"http://localhost:{self.port}/login")
        assert answer.status_code == 303, answer.text
        self.url = answer.headers["location"]

    def complete(self) -> int:
        """Consent and come back; return the status of the answer, which is 303 when it worked."""
        status = self._get(Visitor().sign_in(self.url, self.email)).status_code
        self.http.close()
        return status

    @property
    def state(self) -> str:
        """What somebody who looks over the shoulder sees in the address."""
        return parse_qs(urlsplit(self.url).query)["state"][0]

    def _get(self, url: str) -> requests.Response:
        return self.http.get(url, allow_redirects=False, timeout=SECONDS)
