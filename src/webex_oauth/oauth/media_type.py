"""The media type of an answer (RFC 9110 section 8.3)."""

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.oauth.http import HttpResponse, trimmed


def check_json(response: HttpResponse) -> None:
    """Refuse an answer that says it is something other than JSON; silence is taken for JSON.

    Raises InvalidResponse.
    """
    content_type = response.headers.get("content-type")
    if content_type is None:
        return
    essence = trimmed(content_type.partition(";")[0]).lower()
    if essence != "application/json" and not essence.endswith("+json"):
        said = read_text(essence) or "nothing"
        raise InvalidResponse(f"the answer is not JSON (its content type says {said})")
