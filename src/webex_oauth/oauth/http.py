"""HTTP messages as values; their reprs show no secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to send; header names are in lower case."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer that was received whole; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def trimmed(value: str) -> str:
    """Return a header's value without the blanks around it (RFC 9110 section 5.6.3).

    Not `str.strip`: it also takes what only Unicode calls blank, and other programs do not.
    """
    return value.strip(" \t")


def post_form(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> HttpRequest:
    """Build a form POST whose content type is exactly the one RFC 6749 appendix B names."""
    return HttpRequest(
        "POST",
        url,
        {
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
            **headers,
        },
        urlencode(fields).encode("ascii"),
    )
