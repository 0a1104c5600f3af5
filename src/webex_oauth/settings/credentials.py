"""What a client id and a client secret of Webex look like, and what is pasted instead."""

import re
from hmac import compare_digest
from typing import Final

from webex_oauth.settings.names import is_placeholder

CLIENT_ID: Final = re.compile(r"C[0-9a-f]{64}")
INVENTED_ID: Final = re.compile(r"C[0-9a-f]{1,31}")
"""Too short for a copy that lost its end: an id for trying things out."""

CLIENT_SECRET: Final = re.compile(r"[0-9a-f]{64}")
ACCESS_TOKEN: Final = re.compile(r"[\w+/-]{16,}_\w{4}_[0-9a-f-]{36}", re.ASCII)
EMULATOR_PREFIX: Final = "emulator-"
REGENERATE: Final = (
    "the Developer Portal shows it once, when the integration is created; 'Regenerate' there "
    "makes a new one"
)


def client_id_remedy(client_id: str) -> str | None:
    """Return what is wrong with a client id, and what to do."""
    if not client_id:
        return (
            "no client id: set AUTH_INIT_URL to the 'OAuth Authorization URL' that the Developer "
            "Portal shows for your integration (or set WEBEX_CLIENT_ID)"
        )
    if is_placeholder(client_id):
        return "the client id is a placeholder: put your integration's own"
    if CLIENT_SECRET.fullmatch(client_id):
        return "the client id is a client secret: put the id, which begins with C"
    if ACCESS_TOKEN.fullmatch(client_id):
        return "the client id is an access token: put your integration's own"
    return None


def client_secret_remedy(secret: str, client_id: str) -> str | None:
    """Return what is wrong with a client secret, and what to do; the secret is not repeated."""
    if not secret:
        return f"CLIENT_SECRET is missing: {REGENERATE}"
    if is_placeholder(secret):
        return "CLIENT_SECRET is a placeholder: put your integration's own"
    if CLIENT_ID.fullmatch(secret) or compare_digest(secret.encode(), client_id.encode()):
        return f"CLIENT_SECRET is a client id: put the secret; {REGENERATE}"
    if ACCESS_TOKEN.fullmatch(secret):
        return (
            "CLIENT_SECRET is an access token, of a bot or of a person: put the Client Secret of "
            "your integration"
        )
    return None


def credentials_doubt(client_id: str, secret: str) -> str | None:
    """Return a warning if a client id, or the secret beside one, is unlike those of Webex."""
    if INVENTED_ID.fullmatch(client_id):
        return None
    if not CLIENT_ID.fullmatch(client_id):
        return (
            f"the client id has {len(client_id)} characters; Webex's are C and 64 hexadecimal "
            "digits: was all of it copied?"
        )
    if not CLIENT_SECRET.fullmatch(secret):
        return (
            "CLIENT_SECRET does not look like one of Webex's, which are 64 hexadecimal digits in "
            "lower case: was all of it copied, and nothing else?"
        )
    return None
