"""Answers that are one JSON object, read strictly; its repr shows the names only."""

from collections.abc import Iterator, Mapping
from typing import final

import msgspec

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.foreign_text import read_text
from webex_oauth.oauth.http import HttpResponse, trimmed

_DECODER = msgspec.json.Decoder(dict[str, object])


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


@final
class JsonObject(Mapping[str, object]):
    """The members of an object whose values may be secrets."""

    __slots__ = ("__members",)

    def __init__(self, members: Mapping[str, object]) -> None:
        self.__members = members

    def __getitem__(self, name: str) -> object:
        return self.__members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__members)

    def __len__(self) -> int:
        return len(self.__members)

    def __repr__(self) -> str:
        return f"JsonObject({', '.join(map(repr, self.__members))})"


NO_MEMBERS = JsonObject({})


def read_json_object(response: HttpResponse) -> Mapping[str, object]:
    """Read the body as one JSON object (RFC 8259); of a repeated name the last one counts.

    Raises InvalidResponse for anything else: another media type, bytes that are not UTF-8,
    NaN, half surrogates, bottomless nesting, numbers without end.
    """
    check_json(response)
    if not _is_utf8(response.body):
        raise InvalidResponse("the answer is not UTF-8")
    try:
        return JsonObject(_DECODER.decode(response.body))
    except (msgspec.DecodeError, RecursionError) as cause:
        raise InvalidResponse(
            f"the answer is not a JSON object: {read_text(str(cause))}"
        ) from cause


def _is_utf8(body: bytes) -> bool:
    # Decoded apart from the JSON: a UnicodeDecodeError carries the text that it could not read.
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
