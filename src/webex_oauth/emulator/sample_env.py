"""A ready `.env`, in the style of Cisco's sample, for an application that signs in here."""

from urllib.parse import quote, urlencode, urlsplit

from webex_oauth.emulator.identity.integrations import Integration

_DEFAULT_PORT = 80


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
    lines = (
        "# For the webex-oauth emulator: an invented integration of a local Webex.",
        f"WEBEX_ORIGIN={origin}",
        f"AUTH_INIT_URL={origin}/v1/authorize?{query}",
        f"CLIENT_SECRET={integration.client_secret}",
        f"PORT={urlsplit(redirect_uri).port or _DEFAULT_PORT}",
        "DEBUG=oauth",
    )
    return "\n".join(lines) + "\n"
