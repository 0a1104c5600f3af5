"""Errors of tokens: refused by the token endpoint, or over."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from webex_oauth.errors.root import WebexOAuthError, said


class TokenError(WebexOAuthError):
    """A refusal of the token endpoint.

    `error` is the code (RFC 6749 section 5.2), `description` its text, `tracking_id` the
    server's own reference if it gave one.
    """

    remedy = "check the integration at developer.webex.com, or ask Webex with the tracking id"

    def __init__(
        self, error: str, description: str | None = None, *, tracking_id: str | None = None
    ) -> None:
        told = said(description, tracking_id)
        super().__init__(f"the token endpoint answered {error!r}{told}")
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


class ReauthReason(StrEnum):
    """Why a person must sign in again."""

    GRANT_ENDED = "grant_ended"
    REFRESH_TOKEN_MISSING = "refresh_token_missing"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"  # noqa: S105 - the name of a reason
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"  # noqa: S105 - the name of a reason
    REFRESH_AMBIGUOUS = "refresh_ambiguous"
    ACCESS_TOKEN_REFUSED = "access_token_refused"  # noqa: S105 - the name of a reason


_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ReauthReason.GRANT_ENDED: "their grant was ended here",
        ReauthReason.REFRESH_TOKEN_MISSING: "Webex never gave a refresh token",
        ReauthReason.REFRESH_TOKEN_EXPIRED: "the refresh token has expired and Webex refused it",
        ReauthReason.REFRESH_TOKEN_REFUSED: "Webex no longer accepts the refresh token",
        ReauthReason.REFRESH_AMBIGUOUS: (
            "answers to the refresh token were lost, and using it once more could end more than "
            "it brings"
        ),
        ReauthReason.ACCESS_TOKEN_REFUSED: "the API does not accept even a fresh access token",
    }
)


class ReauthRequired(WebexOAuthError):
    """The person must sign in again: why (a ReauthReason), where, and whose grant it was.

    `grant` is the short digest by which the log calls the grant.
    """

    remedy = "let them sign in"

    def __init__(
        self, reason: str, sign_in_url: str | None = None, *, grant: str | None = None
    ) -> None:
        whose = "" if grant is None else f" (grant {grant})"
        why = f": {_REASONS[reason]}" if reason in _REASONS else ""
        super().__init__(f"the person must sign in again{whose}: {reason}{why}")
        self.reason = reason
        self.sign_in_url = sign_in_url
        self.grant = grant
        where = "" if sign_in_url is None else f" at {sign_in_url}"
        self.remedy = f"let them sign in{where}"
