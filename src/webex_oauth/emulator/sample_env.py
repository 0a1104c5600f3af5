"""A ready `.env`, in the style of Cisco's sample, for an application that signs in here."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from webex_oauth.emulator.identity.integrations import Integration, check_form, check_mark

# An application behind https has a proxy before it, and a port of its own.
_PORT_BY_SCHEME = {"http": 80}


def sample_env(integration: Integration, origin: str) -> str:
    """Write the text of a `.env` that points an application to the emulator at *origin*."""
    redirect_uri = integration.redirect_uris[0]
    query = urlencode(
        {
            "client_id": integration.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(integration.scopes),
            "state": "set_state_here",
        },
        quote_via=quote,
    )
    port = urlsplit(redirect_uri).port or _PORT_BY_SCHEME.get(urlsplit(redirect_uri).scheme)
    lines = (
        "# For the webex-oauth emulator: an invented integration of a local Webex.",
        f"WEBEX_ORIGIN={origin}",
        f"AUTH_INIT_URL={origin}/v1/authorize?{query}",
        f"CLIENT_SECRET={integration.client_secret}",
        *((f"PORT={port}",) if port else ()),
        "# Without the # each step of a sign-in is written to the log:",
        "#DEBUG=oauth",
    )
    return "\n".join(lines) + "\n"


def read_sample_env(values: Mapping[str, str | None]) -> tuple[Integration, str]:
    """Return the integration and the origin of a `.env` that `sample_env` wrote.

    Raise `ValueError` where its integration is not one that an emulator invented.
    """
    url = urlsplit(values.get("AUTH_INIT_URL") or "")
    query = dict(parse_qsl(url.query))
    integration = Integration(
        client_id=query.get("client_id", ""),
        client_secret=values.get("CLIENT_SECRET") or "",
        redirect_uris=(query.get("redirect_uri", ""),),
        scopes=tuple(query.get("scope", "").split()),
    )
    check_mark(integration)
    check_form(integration)
    return integration, f"{url.scheme}://{url.netloc}"
