"""Every error of webex-oauth; the type decides what to do, and `remedy` says it in words.

docs/errors.md draws the tree.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

_WORDS = re.compile(r"(?<=.)(?=[A-Z])")


class WebexOAuthError(Exception):
    """Base class of all webex-oauth errors: `str()` says what happened, then the `remedy`."""

    remedy: str = "report this to the maintainers of webex-oauth"

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.remedy}"


class ConfigurationError(WebexOAuthError):
    """All mistakes of a configuration, each with its remedy, and warnings for the operator."""

    remedy = "change the settings that are named; `webex-oauth check-config` checks them again"

    def __init__(self, mistakes: Sequence[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join([*mistakes, *warnings]))
        self.mistakes: tuple[str, ...] = tuple(mistakes)
        self.warnings: tuple[str, ...] = tuple(warnings)

    def __str__(self) -> str:
        return Exception.__str__(self)


class SignInError(WebexOAuthError):
    """A sign-in that did not complete; `return_to` is where the person was going."""

    remedy = "the person starts the sign-in again"
    return_to = "/"

    @property
    def reason(self) -> str:
        """A word for what happened, which stays the same from version to version."""
        return _WORDS.sub("_", type(self).__name__).lower()


class MalformedCallback(SignInError):
    """A callback that no authorization server would send."""


class IncompleteCallback(MalformedCallback):
    """A callback that lacks `parameter`.

    `error` is the authorization server's code if it sent one: a page may show it, but without a
    state it must have no other effect.
    """

    def __init__(self, parameter: str, *, error: str | None = None) -> None:
        super().__init__(f"the callback has no {parameter}")
        self.parameter = parameter
        self.error = error


class AttemptUnknown(SignInError):
    """No open attempt has this state."""


class AttemptForeign(SignInError):
    """The attempt was started in another browser."""

    remedy = "the person starts the sign-in again in the browser they are using now"


class AttemptInProgress(SignInError):
    """Another request is completing this attempt."""

    remedy = "wait a moment and reload"


class IssuerMismatch(SignInError):
    """The callback comes from an authorization server that was not asked."""


class AuthorizationRefused(SignInError):
    """The authorization server's error: its code and its text for developers."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(f"the authorization server answered {error!r}{_details(description)}")
        self.error = error
        self.description = description
        if error == "invalid_scope":
            self.remedy = (
                "tick every scope that is asked for on your integration at developer.webex.com, or "
                "ask for fewer"
            )

    @property
    def reason(self) -> str:
        """The authorization server's code."""
        return self.error


class SignInTimedOut(SignInError):
    """The person did not finish the sign-in in time."""


class OrganizationRefused(SignInError):
    """People of this organization are not admitted; nothing is kept of them."""

    remedy = "the person signs in with an account of an organization that is admitted"


class SignInFailed(SignInError):
    """A sign-in that failed behind the callback: `__cause__` says at what."""


class TokenError(WebexOAuthError):
    """A refusal of the token endpoint: code (RFC 6749 section 5.2), text, and tracking id."""

    remedy = "check the integration at developer.webex.com, or ask Webex with the tracking id"

    def __init__(
        self, error: str, description: str | None = None, *, tracking_id: str | None = None
    ) -> None:
        details = _details(description, tracking_id)
        super().__init__(f"the token endpoint answered {error!r}{details}")
        self.error = error
        self.description = description
        self.tracking_id = tracking_id


class InvalidGrant(TokenError):
    """The code or the refresh token is no longer good."""

    remedy = "the person signs in again"


class InvalidClient(TokenError):
    """The client id or the client secret is wrong."""

    remedy = (
        "compare client id and CLIENT_SECRET with those of your integration at "
        "developer.webex.com (My Webex Apps); 'Regenerate' there makes a new secret"
    )


class TokenRequestRefused(TokenError):
    """Any other refusal."""


class TemporaryError(WebexOAuthError):
    """What passes: nothing is lost; `retry_after_seconds` says when to try again, if known."""

    remedy: str = "try again; nothing is lost"

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        if retry_after_seconds is not None:
            self.remedy = f"come back in {retry_after_seconds} s"


class UpstreamError(TemporaryError):
    """Webex could not be reached, or did not answer properly."""


class RequestNotSent(UpstreamError):
    """The request never left; repeating it is free."""


class HostNotFound(RequestNotSent):
    """DNS has no address for the host."""

    remedy = "check the spelling of the host and this machine's DNS"


class ConnectFailed(RequestNotSent):
    """Nothing listens at the address, or nothing answered in time."""

    remedy = (
        "check host, port and firewalls; set WEBEX_PROXY if this machine reaches others only "
        "through a proxy"
    )


class CertificateRefused(RequestNotSent):
    """The server's certificate is not trusted; `reason` is OpenSSL's own word."""

    remedy = (
        "check the certificate, the host's name and this machine's date; if a company's proxy "
        "inspects TLS, name the PEM file of its authority in WEBEX_CA_FILE"
    )

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"the certificate of {place} is not trusted: {reason}")
        self.reason = reason


class TlsFailed(RequestNotSent):
    """What answers at the address does not speak TLS."""

    remedy = "check host and port, and that the other side speaks TLS 1.2 or newer"


class ProxyFailed(RequestNotSent):
    """The proxy is not there or opens no tunnel; `status` is its answer if it gave one."""

    remedy: str = "let the proxy open tunnels (CONNECT) to this host"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        if status is None:
            self.remedy = "check host and port in WEBEX_PROXY, and that the proxy runs"
        elif status == 407:  # noqa: PLR2004 - Proxy Authentication Required
            form = "http://USER:PASSWORD@HOST:PORT"
            self.remedy = f"put user and password of the proxy into WEBEX_PROXY: {form}"


class AnswerLost(UpstreamError):
    """The request may have been processed but no answer came."""


class DeadlineExceeded(AnswerLost):
    """No whole answer came within the deadline."""


class RateLimited(UpstreamError):
    """Webex asks to come back after `retry_after_seconds`."""

    retry_after_seconds: int

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Webex limits how often it may be asked", retry_after_seconds)


class ServerFailed(UpstreamError):
    """A 5xx or 408 answer; `retry_after_seconds` if it said when to come back."""

    def __init__(
        self,
        status: int,
        *,
        tracking_id: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        message = f"Webex answered {status}{_details(None, tracking_id)}"
        super().__init__(message, retry_after_seconds)
        self.status = status
        self.tracking_id = tracking_id


class RefreshPostponed(UpstreamError):
    """No refresh is tried before `retry_after_seconds` have passed."""

    retry_after_seconds: int


class InvalidResponse(UpstreamError):
    """An answer that broke the protocol."""

    remedy = "check that Webex answers here, and not a proxy or a sign-in page in between"


class ResponseTooLarge(InvalidResponse):
    """An answer larger than allowed."""


class ListTooLong(InvalidResponse):
    """A list of more pages than are read; the pages before are good."""

    remedy = "ask for a part of the list"


class ApiError(WebexOAuthError):
    """An error answer of Webex's API: status, message, tracking id."""

    remedy = "change the call, or ask Webex with the tracking id"

    def __init__(self, status: int, message: str, *, tracking_id: str | None = None) -> None:
        super().__init__(f"the API answered {status}{_details(message, tracking_id)}")
        self.status = status
        self.message = message
        self.tracking_id = tracking_id


class AccessTokenRefused(ApiError):
    """The access token is not accepted (401)."""

    remedy = "refresh the token, and if that does not help the person signs in again"


class AccessForbidden(ApiError):
    """A scope, a role or a licence is missing (403)."""

    remedy = (
        "add the scope that the call needs to the integration and let the person sign in again, "
        "or have an administrator give them the role or licence"
    )


class ResourceNotFound(ApiError):
    """The resource is not there or not this person's to see (404)."""

    remedy = "check the id, and that this person can see it"


class ReauthReason(StrEnum):
    """Why a person must sign in again."""

    GRANT_ENDED = "grant_ended"
    REFRESH_TOKEN_MISSING = "refresh_token_missing"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"  # noqa: S105 - the name of a reason
    REFRESH_AMBIGUOUS = "refresh_ambiguous"
    ACCESS_TOKEN_REFUSED = "access_token_refused"  # noqa: S105 - the name of a reason


_EXPLANATIONS: Final[Mapping[str, str]] = {
    ReauthReason.GRANT_ENDED: "they never signed in here, or their grant was ended",
    ReauthReason.REFRESH_TOKEN_MISSING: "Webex never gave a refresh token",
    ReauthReason.REFRESH_TOKEN_EXPIRED: "the refresh token has expired and Webex refused it",
    ReauthReason.REFRESH_TOKEN_REFUSED: "Webex no longer accepts the refresh token",
    ReauthReason.REFRESH_AMBIGUOUS: (
        "answers to the refresh token were lost, and using it again could revoke what still works"
    ),
    ReauthReason.ACCESS_TOKEN_REFUSED: "the API does not accept even a fresh access token",
}


class ReauthRequired(WebexOAuthError):
    """The person must sign in again: why (a ReauthReason), where, and whose grant it was.

    `grant` is the short digest by which the log calls the grant, `person_id` whose it is, if known.
    """

    person_id: str | None = None

    remedy: str = "let them sign in"

    def __init__(
        self, reason: str, sign_in_url: str | None = None, *, grant: str | None = None
    ) -> None:
        whose = "" if grant is None else f" (grant {grant})"
        why = f": {_EXPLANATIONS[reason]}" if reason in _EXPLANATIONS else ""
        super().__init__(f"the person must sign in again{whose}: {reason}{why}")
        self.reason = reason
        self.sign_in_url = sign_in_url
        self.grant = grant
        if sign_in_url is not None:
            self.remedy = f"let them sign in at {sign_in_url}"


class GrantNotFound(WebexOAuthError, LookupError):
    """Nothing is kept of this person; `candidates` are the people of whom something is."""

    remedy: str = "let them sign in: `webex-oauth login`, or the sign-in page"

    def __init__(self, message: str, candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.candidates: tuple[str, ...] = tuple(candidates)
        if candidates:
            self.remedy = "name one of them, in the call or as WEBEX_PERSON"


class MissingScope(WebexOAuthError):
    """The person did not allow `scopes`; `person_id` says who."""

    remedy = (
        "let them sign in again and ask for these scopes, which the integration must have at "
        "developer.webex.com"
    )

    def __init__(self, scopes: Sequence[str], person_id: str) -> None:
        super().__init__(f"the person has not allowed {' '.join(scopes)}")
        self.scopes: tuple[str, ...] = tuple(scopes)
        self.person_id = person_id


class StoreError(TemporaryError):
    """The store failed."""

    remedy = "try again"


class StoreUnavailable(StoreError):
    """The store cannot answer right now."""

    remedy = "make sure that the store runs and can be reached; nothing is lost meanwhile"


class StoreConflict(StoreError):
    """The record changed under its writer."""


class VaultError(WebexOAuthError):
    """Something sealed cannot be opened."""

    remedy = "see docs/keys.md"


class KeyUnavailable(VaultError):
    """The sealing key is missing, malformed or too widely readable; the message says what to do."""

    remedy = "put the key back: docs/keys.md"

    def __str__(self) -> str:
        return Exception.__str__(self)


class SealBroken(VaultError):
    """Sealed bytes that do not fit their place."""

    remedy = "put back the row, or the key that sealed it: docs/keys.md"


def _details(message: str | None, tracking_id: str | None = None) -> str:
    text = "" if message is None else f": {message.removesuffix('.')}"
    return text if tracking_id is None else f"{text} (tracking id {tracking_id})"
