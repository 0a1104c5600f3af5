"""The OAuth Authorization URL that the Developer Portal shows for an integration."""

from urllib.parse import parse_qs

from webex_oauth.settings.urls import is_https_or_loopback, origin_of, split_url

NO_URL = (
    "AUTH_INIT_URL is not a URL: copy the whole 'OAuth Authorization URL' of your "
    "integration from the Developer Portal"
)


def portal_fields(text: str) -> tuple[dict[str, str], list[str]]:
    """Read the fields of the URL, and under `origin` where it leads; tell what is wrong with it."""
    parts = split_url(text)
    if parts is None or not parts.netloc:
        return {}, [NO_URL]
    mistakes = []
    if not is_https_or_loopback(parts):
        mistakes.append("AUTH_INIT_URL must begin with https://")
    fields = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if fields.get("response_type", "code") != "code":
        mistakes.append("AUTH_INIT_URL must ask for response_type=code")
    return fields | {"origin": origin_of(parts)}, mistakes
