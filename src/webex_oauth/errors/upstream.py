"""Errors of the way to Webex and of its API."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from webex_oauth.errors.root import WebexOAuthError, come_back, said


class UpstreamError(WebexOAuthError):
    """Webex could not be reached, or did not answer properly."""

    remedy = "try again; nothing is lost"


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
    """No TLS with what answers at the address."""

    remedy = "check host and port, and that the other side speaks TLS 1.2 or newer"


class ProxyFailed(RequestNotSent):
    """The proxy is not there or opens no tunnel; `status` is its answer if it gave one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def remedy(self) -> str:  # type: ignore[override]  # an answer's remedy depends on its status
        """What to do about it."""
        return _PROXY_REMEDIES.get(self.status, "let the proxy open tunnels (CONNECT) to this host")


_PROXY_REMEDIES: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        None: "check host and port in WEBEX_PROXY, and that the proxy runs",
        407: "put user and password of the proxy into WEBEX_PROXY: http://USER:PASSWORD@HOST:PORT",
    }
)


class AnswerLost(UpstreamError):
    """The request may have been processed but no answer came."""


class DeadlineExceeded(AnswerLost):
    """No whole answer came within the deadline."""


class RateLimited(UpstreamError):
    """Webex asks to come back after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Webex limits how often it may be asked")
        self.retry_after_seconds = retry_after_seconds
        self.remedy = come_back(retry_after_seconds)


class ServerFailed(UpstreamError):
    """A 5xx or 408 answer; `retry_after_seconds` if it said when to come back."""

    def __init__(
        self,
        status: int,
        *,
        tracking_id: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"Webex answered {status}{said(None, tracking_id)}")
        self.status = status
        self.tracking_id = tracking_id
        self.retry_after_seconds = retry_after_seconds
        if retry_after_seconds is not None:
            self.remedy = come_back(retry_after_seconds)


class RefreshPostponed(UpstreamError):
    """No refresh is tried before `retry_after_seconds` have passed."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.remedy = come_back(retry_after_seconds)


class InvalidResponse(UpstreamError):
    """An answer that broke the protocol."""

    remedy = "check that Webex answers here, and not a proxy or a sign-in page in between"


class ResponseTooLarge(InvalidResponse):
    """An answer larger than allowed."""


class ListTooLong(InvalidResponse):
    """A list has more pages than are asked for; what came before is good."""

    remedy = "ask for a part of the list"


class ApiError(WebexOAuthError):
    """An error answer of Webex's API: status, message, tracking id."""

    remedy = "change the call, or ask Webex with the tracking id"

    def __init__(self, status: int, message: str, *, tracking_id: str | None = None) -> None:
        super().__init__(f"the API answered {status}{said(message, tracking_id)}")
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
