"""JSON of the API into typed values."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from webex_oauth.errors import InvalidResponse

Shape = TypeVar("Shape")


def json_reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Build the function that reads a body as *shape*; unknown members are ignored.

    What it returns raises InvalidResponse for a body of another shape.
    """
    decoder = msgspec.json.Decoder(shape)

    def read(body: bytes) -> Shape:
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
            raise InvalidResponse(f"the API's answer is not a {shape.__name__}") from cause

    return read
