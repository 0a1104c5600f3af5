"""Sign-ins: the authorization request (RFC 6749 section 4.1.1), under way, ended in a code (4.1.2).

RFC 7636 is the proof key that ties the code to the client which asked.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

from webex_oauth.emulator.conditions import BoundedDict, Conditions
from webex_oauth.emulator.identity import OAuthRefusal, Unredirectable
from webex_oauth.emulator.identity.integrations import (
    KMS_SCOPE,
    OPENID_SCOPES,
    Integration,
    IntegrationRegistry,
    is_marked,
)
from webex_oauth.emulator.identity.tokens import Tokens
from webex_oauth.emulator.world import Person

_CAPACITY = 10_000
_ALLOWED = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MAX_AGE = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client committed itself to when it requested a code."""

    value: str
    method: str


def read_challenge(value: str | None, method: str | None) -> Challenge | None:
    """Return the challenge of an authorization request, if it has one. RFC 7636 section 4.3."""
    if value is None and method is None:
        return None
    if value is None or not _ALLOWED.fullmatch(value):
        raise OAuthRefusal("invalid_request", "code_challenge must be 43 to 128 characters long.")
    if method not in (None, "S256", "plain"):
        raise OAuthRefusal("invalid_request", "code_challenge_method must be S256 or plain.")
    return Challenge(value, method or "plain")


def check_verifier(challenge: Challenge | None, verifier: str | None) -> None:
    """Raise `OAuthRefusal` for a missing, malformed, unexpected or wrong verifier. Section 4.6."""
    if challenge is None and verifier is None:
        return
    if challenge is None:
        raise OAuthRefusal("invalid_request", "code_verifier was not expected.")
    if verifier is None:
        raise OAuthRefusal("invalid_request", "code_verifier is required.")
    if not _ALLOWED.fullmatch(verifier):
        raise OAuthRefusal("invalid_request", "code_verifier must be 43 to 128 characters long.")
    if challenge.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if not hmac.compare_digest(verifier, challenge.value):
        raise OAuthRefusal("invalid_grant", "code_verifier does not match the code_challenge.")


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where answers go: a registered redirect URI, and the state to send along."""

    integration: Integration
    redirect_uri: str
    state: str | None
    is_redirect_uri_sent: bool


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that has been checked and may be shown to a person."""

    address: ReturnAddress
    scopes: tuple[str, ...]
    challenge: Challenge | None
    prompt: str = ""
    login_hint: str = ""
    max_age_seconds: int | None = None
    user_code: str = ""
    """The code of the device that waits for the decision, instead of a callback."""


def single_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters that may each appear once. RFC 6749 section 3.1."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise Unredirectable("invalid_request", f"Parameter:{name} is sent more than once.")
        values[name] = value
    return values


def read_return_address(
    parameters: Mapping[str, str], registry: IntegrationRegistry
) -> ReturnAddress:
    """Return who asks and where answers may go; raise `Unredirectable` if that is not certain."""
    integration = _find_integration(parameters.get("client_id", ""), registry)
    sent = parameters.get("redirect_uri")
    return ReturnAddress(
        integration=integration,
        redirect_uri=_registered_redirect_uri(integration, sent),
        state=parameters.get("state"),
        is_redirect_uri_sent=sent is not None,
    )


def read_authorization_request(
    parameters: Mapping[str, str], address: ReturnAddress, *, is_pkce_required: bool
) -> AuthorizationRequest:
    """Check everything else; raise `OAuthRefusal` with what the redirect has to say."""
    response_type = parameters.get("response_type")
    if not response_type:
        raise OAuthRefusal("invalid_request", "response_type is required.")
    if response_type != "code":
        raise OAuthRefusal("unsupported_response_type", "The response_type is not supported.")
    challenge = read_challenge(
        parameters.get("code_challenge"), parameters.get("code_challenge_method")
    )
    if challenge is None and is_pkce_required:
        raise OAuthRefusal("invalid_request", "code_challenge is required.")
    max_age = parameters.get("max_age")
    if max_age is not None and not _MAX_AGE.fullmatch(max_age):
        raise OAuthRefusal("invalid_request", "max_age must be a number of seconds.")
    return AuthorizationRequest(
        address=address,
        scopes=registered_scopes(parameters.get("scope", ""), address.integration),
        challenge=challenge,
        prompt=parameters.get("prompt", ""),
        login_hint=parameters.get("login_hint", "") or parameters.get("email", ""),
        max_age_seconds=None if max_age is None else int(max_age),
    )


def callback_url(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """Return a redirect URI with parameters added to the query that it has."""
    parts = urlsplit(redirect_uri)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def _find_integration(client_id: str, registry: IntegrationRegistry) -> Integration:
    if not client_id.strip():
        raise Unredirectable("invalid_request", "Parameter:client_id is blank")
    integration = registry.find(client_id)
    if integration:
        return integration
    if is_marked(client_id):
        raise Unredirectable(
            "invalid_client",
            "This client_id is not registered here. If an earlier run of the emulator wrote it "
            "into a .env, start the emulator again with --env-file and that file.",
        )
    raise Unredirectable(
        "invalid_client",
        "This client_id was not issued by an emulator: "
        "a real integration must be sent to the real Webex.",
    )


def _registered_redirect_uri(integration: Integration, sent: str | None) -> str:
    if sent is None and len(integration.redirect_uris) == 1:
        return integration.redirect_uris[0]
    # RFC 9700 section 2.1: exact string matching, nothing less.
    if sent in integration.redirect_uris:
        return str(sent)
    raise Unredirectable(
        "redirect_uri_mismatch",
        "The redirection URI provided does not match a pre-registered value.",
    )


def registered_scopes(scope: str, integration: Integration) -> tuple[str, ...]:
    """Return the scopes in *scope*; raise `OAuthRefusal` unless all of them are registered."""
    names = tuple(dict.fromkeys(scope.split()))
    # Webex adds the KMS scope to every integration by itself.
    registered = {*integration.scopes, KMS_SCOPE} - OPENID_SCOPES
    if not names or not set(names) <= registered:
        raise OAuthRefusal("invalid_scope", "The requested scope is invalid.")
    return names


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that need not choose a person again: who is signed in, and since when."""

    person: Person
    authenticated_at: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One authorization request under way; its id is known to the page that shows it."""

    id: str
    request: AuthorizationRequest
    expires_at: int
    person: Person | None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for, and which grant it becomes when it is used."""

    value: str
    request: AuthorizationRequest
    person: Person
    scopes: tuple[str, ...]
    expires_at: int
    grant_id: str
    is_used: bool = False


class SignIns:
    """The transactions under way, the codes that were issued, and the signed-in browsers."""

    def __init__(self, conditions: Conditions, tokens: Tokens) -> None:
        self._conditions = conditions
        self._tokens = tokens
        self._transaction_by_id: BoundedDict[str, Transaction] = BoundedDict(_CAPACITY)
        self._code_by_value: BoundedDict[str, AuthorizationCode] = BoundedDict(_CAPACITY)
        self.browsers: BoundedDict[str, BrowserSession] = BoundedDict(_CAPACITY)

    def begin(self, request: AuthorizationRequest, person: Person | None) -> Transaction:
        """Start a transaction, for a person if it is already known which one."""
        transaction = Transaction(
            id=self._conditions.randomness.hex(24),
            request=request,
            expires_at=self._expiry(self._conditions.options.transaction_lifetime_seconds),
            person=person,
        )
        self._transaction_by_id[transaction.id] = transaction
        return transaction

    def find(self, transaction_id: str) -> Transaction | None:
        """Return a transaction that has not ended."""
        transaction = self._transaction_by_id.get(transaction_id)
        is_alive = transaction and transaction.expires_at > self._conditions.clock.now()
        return transaction if is_alive else None

    def choose_person(self, transaction: Transaction, person: Person) -> str:
        """Record who decides; return the id of the session in which the browser skips this."""
        self._transaction_by_id[transaction.id] = replace(transaction, person=person)
        session_id = self._conditions.randomness.hex(24)
        self.browsers[session_id] = BrowserSession(person, self._conditions.clock.now())
        return session_id

    def finish(self, transaction: Transaction) -> None:
        """End a transaction that has been decided."""
        self._transaction_by_id.pop(transaction.id, None)

    def issue_code(
        self, request: AuthorizationRequest, person: Person, scopes: tuple[str, ...]
    ) -> AuthorizationCode:
        """Issue a code for what a person granted."""
        code = AuthorizationCode(
            value=self._conditions.randomness.opaque(person.organization_uuid),
            request=request,
            person=person,
            scopes=scopes,
            expires_at=self._expiry(self._conditions.options.code_lifetime_seconds),
            grant_id=self._conditions.randomness.uuid(),
        )
        self._code_by_value[code.value] = code
        return code

    def redeem(
        self, value: str, *, client_id: str, redirect_uri: str | None, verifier: str | None
    ) -> AuthorizationCode:
        """Redeem a code. RFC 6749 section 4.1.3.

        The first time that its own client presents it spends it, whatever comes of that.
        Raise `OAuthRefusal` for every fault.
        """
        code = self._code_by_value.get(value)
        if code is None or code.request.address.integration.client_id != client_id:
            raise OAuthRefusal("invalid_grant", "The authorization code is unknown.")
        if code.is_used:
            if self._conditions.options.code_reuse_revokes_tokens:
                self._tokens.revoke_grant(code.grant_id)
            raise OAuthRefusal("invalid_grant", "The authorization code was used before.")
        self._code_by_value[value] = replace(code, is_used=True)
        if code.expires_at <= self._conditions.clock.now():
            raise OAuthRefusal("invalid_grant", "The authorization code has expired.")
        address = code.request.address
        may_be_absent = not address.is_redirect_uri_sent
        if redirect_uri != address.redirect_uri and not (redirect_uri is None and may_be_absent):
            message = "The redirect_uri is not the one that the code was requested with."
            raise OAuthRefusal("invalid_grant", message)
        check_verifier(code.request.challenge, verifier)
        return code

    def _expiry(self, lifetime_seconds: int) -> int:
        return self._conditions.clock.now() + lifetime_seconds
