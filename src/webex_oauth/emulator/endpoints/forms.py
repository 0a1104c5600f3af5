"""Forms and queries, read strictly: UTF-8, a bounded number of fields, each name once."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request

from webex_oauth.emulator.identity.refusals import OAuthRefusal

FORM_TYPE = "application/x-www-form-urlencoded"

_MOST_FIELDS = 100


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Read the query of a request, with its repetitions; raise `ValueError` if it is malformed."""
    return _pairs(request.scope["query_string"])


async def read_form(request: Request) -> dict[str, str]:
    """Read a form; raise `OAuthRefusal` when it is none, or repeats a name."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM_TYPE:
        raise OAuthRefusal(
            "invalid_request",
            f"Content type '{content_type}' not supported",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        pairs = _pairs(await request.body())
    except ValueError as cause:
        raise OAuthRefusal("invalid_request", "The form is malformed.") from cause
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A form field is sent more than once.")
    return form


def required_field(form: Mapping[str, str], name: str) -> str:
    """Return a field of a form; raise `OAuthRefusal` when it is missing or empty."""
    value = form.get(name)
    if not value:
        raise OAuthRefusal("invalid_request", f"{name} cannot be null or empty")
    return value


def _pairs(text: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        text.decode("ascii"),
        keep_blank_values=True,
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )
