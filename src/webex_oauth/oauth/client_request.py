"""Form requests in which the client proves itself (RFC 6749 section 2.3.1)."""

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote_plus

from webex_oauth.oauth.http import HttpRequest, post_form
from webex_oauth.oauth.server import Client, ClientAuthentication


def client_request(
    url: str, fields: Mapping[str, str], client: Client, authentication: ClientAuthentication
) -> HttpRequest:
    """Build the POST of *fields*, with the client's credentials where *authentication* says."""
    if authentication is ClientAuthentication.BASIC:
        return post_form(url, fields, {"authorization": _basic(client)})
    credentials = {
        "client_id": client.client_id,
        "client_secret": client.client_secret.reveal(),
    }
    return post_form(url, {**fields, **credentials}, {})


def _basic(client: Client) -> str:
    # Each half is form-encoded first, so that a colon in the id cannot move the border.
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret.reveal())}"
    return f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"
