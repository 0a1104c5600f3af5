"""Grants and the tokens that stand for them: issued, refreshed, revoked."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.conditions import BoundedDict, Conditions
from webex_oauth.emulator.identity import OAuthRefusal
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
class Token:
    """An access or refresh token; a refresh token that was replaced knows when and by what."""

    value: str
    grant: Grant
    expires_at: int
    replaced_at: int | None = None
    successor: str = ""


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """The result of a token request; a refresh may leave the refresh token out."""

    grant: Grant
    access_token: Token
    refresh_token: Token | None


class Tokens:
    """All grants and their tokens."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._grant_by_id: BoundedDict[str, Grant] = BoundedDict(_CAPACITY)
        self._access_by_value: BoundedDict[str, Token] = BoundedDict(_CAPACITY)
        self._refresh_by_value: BoundedDict[str, Token] = BoundedDict(_CAPACITY)
        self._values_by_person: dict[str, set[str]] = {}

    def issue(
        self,
        client_id: str,
        person: Person,
        scopes: tuple[str, ...],
        *,
        grant_id: str = "",
        lifetime_seconds: int | None = None,
    ) -> IssuedTokens:
        """Make a grant and its first tokens; raise `OAuthRefusal` when the quota is spent."""
        grant = Grant(grant_id or self._conditions.randomness.uuid(), client_id, person, scopes)
        self._grant_by_id[grant.id] = grant
        access_token = self._new_access_token(grant, lifetime_seconds)
        return IssuedTokens(grant, access_token, self._new_refresh_token(grant))

    def refresh(self, client_id: str, value: str) -> IssuedTokens:
        """Exchange a refresh token for fresh tokens. RFC 6749 section 6."""
        presented = self._presented_refresh_token(client_id, value)
        grant, options = presented.grant, self._conditions.options
        if options.refresh_revokes_access_tokens:
            for earlier in self._values_by_person[grant.person.uuid]:
                token = self._access_by_value.get(earlier)
                if token and token.grant == grant:
                    del self._access_by_value[earlier]
        access_token = self._new_access_token(grant)
        refresh_token = self._next_refresh_token(presented)
        is_omitted = options.is_refresh_token_omitted_on_refresh
        return IssuedTokens(grant, access_token, None if is_omitted else refresh_token)

    def access_token(self, value: str) -> Token | None:
        """Return the access token with this value if it is valid now."""
        return self._if_alive(self._access_by_value.get(value))

    @property
    def grants(self) -> tuple[Grant, ...]:
        """The grants that were not revoked, in the order in which they were made."""
        return tuple(self._grant_by_id.values())

    def has_grant(self, client_id: str, person: Person, scopes: tuple[str, ...]) -> bool:
        """Return whether a person has granted an integration at least these scopes."""
        return any(set(scopes) <= set(grant.scopes) for grant in self._grants_of(person, client_id))

    def is_active(self, value: str) -> bool:
        """Return whether a value is an access or refresh token that would be accepted now."""
        refresh_token = self._refresh_by_value.get(value)
        is_replaced = refresh_token is not None and refresh_token.replaced_at is not None
        token = refresh_token or self._access_by_value.get(value)
        return not is_replaced and self._if_alive(token) is not None

    def revoke(self, value: str, client_id: str | None = None) -> None:
        """Revoke a token; a refresh token takes its whole grant with it. RFC 7009 section 2.1.

        With a *client_id* only that client's tokens are revoked; unknown values are no error.
        """
        token = self._refresh_by_value.get(value) or self._access_by_value.get(value)
        if token is None or client_id not in (None, token.grant.client_id):
            return
        if value in self._refresh_by_value:
            self.revoke_grant(token.grant.id)
        else:
            del self._access_by_value[value]

    def withdraw(self, person: Person, client_id: str = "") -> None:
        """End what a person allowed an integration, or all of them, as the person would."""
        for grant in self._grants_of(person, client_id):
            self.revoke_grant(grant.id)

    def revoke_grant(self, grant_id: str) -> None:
        """End a grant and all its tokens."""
        self._grant_by_id.pop(grant_id, None)

    def clear(self) -> None:
        """Forget all grants and tokens."""
        self._grant_by_id.clear()
        self._access_by_value.clear()
        self._refresh_by_value.clear()
        self._values_by_person.clear()

    def _grants_of(self, person: Person, client_id: str) -> list[Grant]:
        return [
            grant
            for grant in self.grants
            if grant.person.uuid == person.uuid and client_id in ("", grant.client_id)
        ]

    def _if_alive(self, token: Token | None) -> Token | None:
        if token is None or token.expires_at <= self._conditions.clock.now():
            return None
        return token if token.grant.id in self._grant_by_id else None

    def _presented_refresh_token(self, client_id: str, value: str) -> Token:
        token = self._if_alive(self._refresh_by_value.get(value))
        if token is None or token.grant.client_id != client_id:
            raise _bad_refresh_token()
        if token.replaced_at is not None:
            self._check_replaced(token, token.replaced_at)
        return token

    def _check_replaced(self, token: Token, replaced_at: int) -> None:
        options = self._conditions.options
        grace_ends_at = replaced_at + options.rotation_grace_seconds
        is_graceful = options.refresh_mode == "rotate+grace"
        if is_graceful and self._conditions.clock.now() < grace_ends_at:
            return
        if options.refresh_mode == "reuse-detect":
            self.revoke_grant(token.grant.id)
        raise _bad_refresh_token()

    def _next_refresh_token(self, presented: Token) -> Token:
        options, now = self._conditions.options, self._conditions.clock.now()
        token = self._refresh_by_value.get(presented.successor)
        if token is None and options.refresh_mode != "same":
            token = self._new_refresh_token(presented.grant)
            presented = replace(presented, replaced_at=now, successor=token.value)
        elif token is None and options.refresh_extends_lifetime:
            expires_at = now + options.refresh_token_lifetime_seconds
            presented = replace(presented, expires_at=expires_at)
        self._refresh_by_value[presented.value] = presented
        return token or presented

    def _new_access_token(self, grant: Grant, lifetime_seconds: int | None = None) -> Token:
        values = self._counted_values(grant.person)
        if lifetime_seconds is None:
            lifetime_seconds = self._conditions.options.access_token_lifetime_seconds
        token = self._new_token(grant, lifetime_seconds)
        self._access_by_value[token.value] = token
        values.add(token.value)
        return token

    def _new_refresh_token(self, grant: Grant) -> Token:
        token = self._new_token(grant, self._conditions.options.refresh_token_lifetime_seconds)
        self._refresh_by_value[token.value] = token
        return token

    def _new_token(self, grant: Grant, lifetime_seconds: int) -> Token:
        value = self._conditions.randomness.opaque(grant.person.organization_uuid)
        return Token(value, grant, self._conditions.clock.now() + lifetime_seconds)

    def _counted_values(self, person: Person) -> set[str]:
        """Return what counts against a person's quota; raise `OAuthRefusal` when it is full."""
        quota = self._conditions.options.access_token_quota
        values = self._values_by_person.setdefault(person.uuid, set())
        if len(values) >= (quota or _CAPACITY):
            values.intersection_update([one for one in values if self.access_token(one)])
            if quota and len(values) >= quota:
                raise OAuthRefusal("tokenlimit_reached", "tokenlimit_reached")
        return values


def _bad_refresh_token() -> OAuthRefusal:
    return OAuthRefusal(
        "invalid_request",
        "The refresh token provided is expired, revoked, malformed, or invalid.",
    )
