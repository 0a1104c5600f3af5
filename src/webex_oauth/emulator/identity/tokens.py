"""Grants and the tokens that stand for them: issued, refreshed, revoked."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.conditions import MovableClock, Randomness, Switchboard
from webex_oauth.emulator.identity.authorization import OAuthRefusal
from webex_oauth.emulator.shelf import Shelf
from webex_oauth.emulator.world import Person

_CAPACITY = 200_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed an integration."""

    id: str
    client_id: str
    person: Person
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for the API; what carries its value."""

    value: str
    grant_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token for the token endpoint; a replaced one knows when and by what."""

    value: str
    grant_id: str
    expires_at: int
    replaced_at: int | None = None
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a token request brings; the refresh token may be left out of a refresh's answer."""

    grant: Grant
    access_token: AccessToken
    refresh_token: RefreshToken | None


class Tokens:
    """All grants and their living tokens."""

    def __init__(
        self, clock: MovableClock, randomness: Randomness, switchboard: Switchboard
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._switchboard = switchboard
        self._grant_by_id: Shelf[str, Grant] = Shelf(_CAPACITY)
        self._access_by_value: Shelf[str, AccessToken] = Shelf(_CAPACITY)
        self._refresh_by_value: Shelf[str, RefreshToken] = Shelf(_CAPACITY)
        self._values_by_person: dict[str, set[str]] = {}

    def issue(self, client_id: str, person: Person, scopes: tuple[str, ...]) -> IssuedTokens:
        """Make a grant and its first tokens; raise `OAuthRefusal` when the quota is spent."""
        grant = Grant(self._randomness.uuid(), client_id, person, scopes)
        self._grant_by_id.put(grant.id, grant)
        access_token = self._new_access_token(grant)
        return IssuedTokens(grant, access_token, self._new_refresh_token(grant))

    def refresh(self, client_id: str, value: str) -> IssuedTokens:
        """Exchange a refresh token for fresh tokens. RFC 6749 section 6."""
        presented = self._presented_refresh_token(client_id, value)
        grant = self._living_grant(presented.grant_id)
        if self._switchboard.options.refresh_revokes_access_tokens:
            self._drop_access_tokens(grant)
        access_token = self._new_access_token(grant)
        refresh_token = self._next_refresh_token(grant, presented)
        is_omitted = self._switchboard.options.is_refresh_token_omitted_on_refresh
        return IssuedTokens(grant, access_token, None if is_omitted else refresh_token)

    def access_token(self, value: str) -> AccessToken | None:
        """Find an access token that is good at this instant."""
        token = self._access_by_value.get(value)
        if token is None or token.expires_at <= self._clock.now():
            return None
        return token if token.grant_id in self._grant_by_id else None

    def grant_of(self, token: AccessToken) -> Grant:
        """Find the grant of a good access token."""
        return self._living_grant(token.grant_id)

    def has_grant(self, client_id: str, person: Person, scopes: tuple[str, ...]) -> bool:
        """Return whether a person has granted an integration at least these scopes."""
        return any(
            grant.client_id == client_id
            and grant.person.uuid == person.uuid
            and set(scopes) <= set(grant.scopes)
            for grant in self._grant_by_id
        )

    def is_active(self, value: str) -> bool:
        """Return whether a value is an access or refresh token that would be accepted now."""
        refresh = self._refresh_by_value.get(value)
        if refresh is None:
            return self.access_token(value) is not None
        is_alive = refresh.expires_at > self._clock.now() and refresh.replaced_at is None
        return is_alive and refresh.grant_id in self._grant_by_id

    def revoke(self, value: str, client_id: str | None = None) -> None:
        """Revoke a token; a refresh token takes its whole grant along. RFC 7009 section 2.1.

        With a *client_id* only that client's tokens are revoked; unknown values are no error.
        """
        token = self._refresh_by_value.get(value) or self._access_by_value.get(value)
        if token is None:
            return
        grant = self._grant_by_id.get(token.grant_id)
        if grant is None or client_id not in (None, grant.client_id):
            return
        if isinstance(token, RefreshToken):
            self.revoke_grant(token.grant_id)
            return
        self._drop_access_token(grant, value)

    def revoke_grant(self, grant_id: str) -> None:
        """End a grant and every token of it."""
        self._grant_by_id.take(grant_id)

    def clear(self) -> None:
        """Forget every grant and token."""
        for shelf in (self._grant_by_id, self._access_by_value, self._refresh_by_value):
            shelf.clear()
        self._values_by_person.clear()

    def _presented_refresh_token(self, client_id: str, value: str) -> RefreshToken:
        token = self._refresh_by_value.get(value)
        if token is None or token.expires_at <= self._clock.now():
            raise _bad_refresh_token()
        grant = self._grant_by_id.get(token.grant_id)
        if grant is None or grant.client_id != client_id:
            raise _bad_refresh_token()
        if token.replaced_at is not None:
            self._check_replaced(token, token.replaced_at)
        return token

    def _check_replaced(self, token: RefreshToken, replaced_at: int) -> None:
        options = self._switchboard.options
        grace_ends_at = replaced_at + options.rotation_grace_seconds
        if options.refresh_mode == "rotate+grace" and self._clock.now() < grace_ends_at:
            return
        if options.refresh_mode == "reuse-detect":
            self.revoke_grant(token.grant_id)
        raise _bad_refresh_token()

    def _next_refresh_token(self, grant: Grant, presented: RefreshToken) -> RefreshToken:
        successor = self._refresh_by_value.get(presented.successor or "")
        if successor:
            return successor
        if self._switchboard.options.refresh_mode == "same":
            return self._renewed(presented)
        fresh = self._new_refresh_token(grant)
        replaced = replace(presented, replaced_at=self._clock.now(), successor=fresh.value)
        self._refresh_by_value.put(replaced.value, replaced)
        return fresh

    def _renewed(self, token: RefreshToken) -> RefreshToken:
        options = self._switchboard.options
        if not options.refresh_extends_lifetime:
            return token
        expires_at = self._clock.now() + options.refresh_token_lifetime_seconds
        renewed = replace(token, expires_at=expires_at)
        self._refresh_by_value.put(renewed.value, renewed)
        return renewed

    def _new_access_token(self, grant: Grant) -> AccessToken:
        self._check_quota(grant.person)
        lifetime_seconds = self._switchboard.options.access_token_lifetime_seconds
        value = self._randomness.opaque(grant.person.organization_uuid)
        token = AccessToken(value, grant.id, self._clock.now() + lifetime_seconds)
        self._access_by_value.put(value, token)
        values = self._values_by_person.setdefault(grant.person.uuid, set())
        values.add(value)
        if len(values) > _CAPACITY:
            values.intersection_update(one.value for one in self._access_by_value)
        return token

    def _new_refresh_token(self, grant: Grant) -> RefreshToken:
        lifetime_seconds = self._switchboard.options.refresh_token_lifetime_seconds
        value = self._randomness.opaque(grant.person.organization_uuid)
        token = RefreshToken(value, grant.id, self._clock.now() + lifetime_seconds)
        self._refresh_by_value.put(value, token)
        return token

    def _check_quota(self, person: Person) -> None:
        quota = self._switchboard.options.access_token_quota
        values = self._values_by_person.get(person.uuid, set())
        if not quota or len(values) < quota:
            return
        for value in [value for value in values if self.access_token(value) is None]:
            values.discard(value)
            self._access_by_value.take(value)
        if len(values) >= quota:
            raise OAuthRefusal("tokenlimit_reached", "tokenlimit_reached")

    def _living_grant(self, grant_id: str) -> Grant:
        grant = self._grant_by_id.get(grant_id)
        if grant is None:
            raise _bad_refresh_token()
        return grant

    def _drop_access_tokens(self, grant: Grant) -> None:
        for value in tuple(self._values_by_person.get(grant.person.uuid, ())):
            token = self._access_by_value.get(value)
            if token and token.grant_id == grant.id:
                self._drop_access_token(grant, value)

    def _drop_access_token(self, grant: Grant, value: str) -> None:
        self._access_by_value.take(value)
        self._values_by_person.get(grant.person.uuid, set()).discard(value)


def _bad_refresh_token() -> OAuthRefusal:
    return OAuthRefusal(
        "invalid_request",
        "The refresh token provided is expired, revoked, malformed, or invalid.",
    )
