"""A content coding that was not asked for, undone within the same bound (RFC 9110 section 8.4)."""

import zlib
from dataclasses import replace

from webex_oauth.errors import InvalidResponse, ResponseTooLarge
from webex_oauth.oauth.http import HttpResponse, trimmed

# zlib.decompressobj: 16 + MAX_WBITS reads a gzip header and trailer.
GZIP_WINDOW = 16 + zlib.MAX_WBITS


def decoded(answer: HttpResponse, max_bytes: int) -> HttpResponse:
    """Give the answer with its body in plain; raises InvalidResponse or ResponseTooLarge."""
    coding = trimmed(answer.headers.get("content-encoding", "identity")).lower()
    if coding == "identity":
        return answer
    if coding not in {"gzip", "x-gzip"}:
        raise InvalidResponse("the answer has a content coding that was not asked for")
    return replace(answer, body=_inflated(answer.body, max_bytes))


def _inflated(body: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = inflater.decompress(body, max_bytes)
    except zlib.error:
        raise InvalidResponse("the answer's gzip coding is broken") from None
    if inflater.unconsumed_tail:
        raise ResponseTooLarge(f"the answer exceeds {max_bytes} bytes when inflated")
    if not inflater.eof:
        raise InvalidResponse("the answer's gzip coding is cut short")
    return plain
