"""A Webex that knows whose every token is, rotates refresh tokens and forgives nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from unit.flows.fixtures import PERSON_URL, REVOCATION_URL, REVOKED, TOKEN_URL, answer, issued

from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits

ACCESS_SECONDS = 900


@dataclass
class StrictWebex:
    """Issue tokens for codes that are people's names; answer `people/me` with the owner.

    A refresh token that was used before ends its family.
    """

    now: Callable[[], int]
    counter: int = 0
    owner_by_family: dict[int, str] = field(default_factory=dict)
    family_by_refresh: dict[str, int] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    access: dict[str, tuple[int, int]] = field(default_factory=dict)
    replays: int = 0

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:  # noqa: ARG002 - it answers at once
        form = dict(parse_qsl(request.body.decode()))
        if request.url == TOKEN_URL:
            return self._token(form)
        if request.url == REVOCATION_URL:
            self._revoke(form["token"])
            return REVOKED
        assert request.url == PERSON_URL, request.url
        return self._person(request.headers["authorization"].removeprefix("Bearer "))

    def _token(self, form: dict[str, str]) -> HttpResponse:
        if form["grant_type"] == "authorization_code":
            self.counter += 1
            self.owner_by_family[self.counter] = form["code"]
            return self._issue(self.counter)
        presented = form["refresh_token"]
        family = self.family_by_refresh.get(presented, 0)
        if presented in self.spent:
            self.replays += 1
            self.owner_by_family.pop(family, None)
        if family not in self.owner_by_family:
            return answer({"error": "invalid_grant"}, 400)
        self.spent.add(presented)
        return self._issue(family)

    def _issue(self, family: int) -> HttpResponse:
        self.counter += 1
        self.family_by_refresh[f"refresh-token-{self.counter}"] = family
        self.access[f"access-token-{self.counter}"] = (family, self.now() + ACCESS_SECONDS)
        return issued(self.counter, expires_in=ACCESS_SECONDS)

    def _revoke(self, token: str) -> None:
        self.access.pop(token, None)
        self.owner_by_family.pop(self.family_by_refresh.get(token, 0), None)

    def _person(self, token: str) -> HttpResponse:
        family, ends_at = self.access.get(token, (0, 0))
        owner = self.owner_by_family.get(family)
        if owner is None or ends_at <= self.now():
            return answer({"message": "token"}, 401)
        return answer({"id": f"id-of-{owner}", "displayName": owner})
