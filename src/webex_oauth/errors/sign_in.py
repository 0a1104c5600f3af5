"""Errors of a sign-in that did not complete."""

from webex_oauth.errors.root import WebexOAuthError, said


class SignInError(WebexOAuthError):
    """A sign-in that did not complete."""

    remedy = "the person starts the sign-in again"


class MalformedCallback(SignInError):
    """A callback that no authorization server would send."""


class IncompleteCallback(MalformedCallback):
    """A callback that lacks `parameter`.

    `error` is the authorization server's code if it sent one: a page may show it, but without
    a state nothing may follow from it.
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
    """The error that the authorization server put into the callback.

    `error` is the code (RFC 6749 section 4.1.2.1), `description` its text for developers.
    """

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(f"the authorization server answered {error!r}{said(description)}")
        self.error = error
        self.description = description
