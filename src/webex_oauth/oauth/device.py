"""The device grant: a program shows a code, a person enters it in any browser (RFC 8628)."""

from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from webex_oauth.errors import AuthorizationRefused, InvalidResponse, SignInTimedOut, TokenError
from webex_oauth.oauth.http import HttpRequest, HttpResponse, read_json_object, read_text
from webex_oauth.oauth.server import AuthorizationServer, Client, check_not_refused, client_request
from webex_oauth.oauth.token import TokenSet, read_seconds, read_token, read_token_response
from webex_oauth.secret import Secret

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
DEFAULT_INTERVAL_SECONDS: Final = 5
LONGEST_INTERVAL_SECONDS: Final = 60
LONGEST_DEVICE_SECONDS: Final = 3600


class DeviceCode(Struct, frozen=True):
    """What to show a person: where to go, and what to enter there within `expires_in` seconds.

    `verification_uri_complete`, if there is one, contains the code, for a link or a QR code.
    `interval` is how many seconds pass between two questions to the server.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: int
    interval: int

    def __str__(self) -> str:
        """Return a line for people."""
        or_open = self.verification_uri_complete
        link = f", or open {or_open}" if or_open else ""
        return f"Open {self.verification_uri} and enter the code {self.user_code}{link}"


class DeviceAuthorization(Struct, frozen=True):
    """A sign-in of a device under way: `device_code` stays secret, `shown` is for the person."""

    device_code: Secret
    shown: DeviceCode
    expires_at: int
    scopes: tuple[str, ...]


class Pending(Enum):
    """The person has not decided yet, and maybe the device asks too often."""

    WAIT = "authorization_pending"
    SLOW_DOWN = "slow_down"


def device_request(
    server: AuthorizationServer, client: Client, scopes: Sequence[str]
) -> HttpRequest:
    """Return the request for a code (section 3.1); raise ValueError if *server* gives none."""
    if server.device_authorization_endpoint is None:
        raise ValueError("the authorization server has no device authorization endpoint")
    fields = {"client_id": client.client_id, "scope": " ".join(scopes)}
    authentication = server.device_authentication or client.authentication
    return client_request(server.device_authorization_endpoint, fields, client, authentication)


def read_device_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int, scopes: tuple[str, ...]
) -> DeviceAuthorization:
    """Return what a device got to ask for *scopes* (section 3.2).

    Raises TokenError if the server refused, RateLimited or ServerFailed if it could not answer,
    InvalidResponse for everything else.
    """
    check_not_refused(server, response, requested_at)
    if response.status != HTTPStatus.OK:
        raise InvalidResponse(f"the device authorization endpoint answered {response.status}")
    members = read_json_object(response)
    device_code = read_token(members.get("device_code"))
    user_code = read_text(members.get("user_code"))
    verification_uri = read_text(members.get("verification_uri"))
    seconds = read_seconds(members, "expires_in")
    if not (device_code and user_code and verification_uri and seconds):
        raise InvalidResponse("the answer lacks a part of what a device needs")
    interval = read_seconds(members, "interval") or DEFAULT_INTERVAL_SECONDS
    seconds = min(seconds, LONGEST_DEVICE_SECONDS)
    shown = DeviceCode(
        user_code=user_code,
        verification_uri=verification_uri,
        verification_uri_complete=read_text(members.get("verification_uri_complete")),
        expires_in=seconds,
        interval=min(interval, LONGEST_INTERVAL_SECONDS),
    )
    return DeviceAuthorization(device_code, shown, requested_at + seconds, scopes)


def device_token_request(
    server: AuthorizationServer, client: Client, device_code: Secret
) -> HttpRequest:
    """Return the question whether the person has decided (section 3.4)."""
    fields = {
        "grant_type": GRANT_TYPE,
        "device_code": device_code.reveal(),
        "client_id": client.client_id,
    }
    endpoint = server.device_token_endpoint or server.token_endpoint
    authentication = server.device_authentication or client.authentication
    return client_request(endpoint, fields, client, authentication)


def read_device_token_response(
    server: AuthorizationServer, response: HttpResponse, requested_at: int
) -> TokenSet | Pending:
    """Return the tokens, or that the person has not decided yet (section 3.5).

    Raises AuthorizationRefused if they declined, SignInTimedOut if the code has expired, otherwise
    as `read_token_response` does.
    """
    try:
        return read_token_response(server, response, requested_at)
    except TokenError as error:
        match error.error:
            case "authorization_pending" | "slow_down":
                return Pending(error.error)
            case "access_denied":
                raise AuthorizationRefused(error.error, error.description) from None
            case "expired_token":
                raise SignInTimedOut("the code has expired before it was entered") from None
        raise
