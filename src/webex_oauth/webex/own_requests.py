"""Requests of the caller's own to Webex's API: any method and path, never another origin."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from webex_oauth.errors import InvalidResponse
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.oauth.token import authorization_header
from webex_oauth.secret import Secret
from webex_oauth.webex.api import is_plain_url, raise_refusal
from webex_oauth.webex.platform import Platform

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_FIELD = re.compile(r"[\x20-\x7e\t]*+", re.ASCII)
_NOT_THEIRS = frozenset(
    {"authorization", "connection", "content-length", "cookie", "host", "transfer-encoding"}
)


class ApiResponse(Struct, frozen=True):
    """An answer of 2xx to a request of the caller's own; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        return f"ApiResponse(status={self.status})"

    @property
    def text(self) -> str:
        """The content as UTF-8 text; what is not UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return what the content says as JSON; raise InvalidResponse if it is not JSON."""
        try:
            return msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
            raise InvalidResponse("the API's answer is not JSON") from cause


def own_request(
    platform: Platform,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None,
    content: bytes,
    headers: Mapping[str, str],
    access_token: Secret,
) -> HttpRequest:
    """Return a request of the caller's own; *path* is below the API's base URL, or begins with it.

    Raises ValueError for what would not go to the API, or be another request than it seems.
    """
    base = platform.api_base_url
    url = path if path.startswith(base) else base + path.removeprefix("/")
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params, quote_via=quote, safe="")
    if not is_plain_url(url):
        raise ValueError("the path is not one below the API's base URL: quote what is in it")
    if not _NAME.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method")
    own = {name.lower(): value for name, value in headers.items()}
    for name, value in own.items():
        if name in _NOT_THEIRS or not _NAME.fullmatch(name) or not _FIELD.fullmatch(value):
            raise ValueError(f"the header {name!r} cannot be set here")
    sent = {"accept": "application/json", **own}
    sent["authorization"] = authorization_header(access_token)
    return HttpRequest(method.upper(), url, sent, content)


def read_own_response(response: HttpResponse, now: int) -> ApiResponse:
    """Return an answer of 2xx; raise the error that another one stands for."""
    if response.status // 100 != 2:  # noqa: PLR2004 - the class of success
        raise_refusal(response, now)
    return ApiResponse(response.status, response.headers, response.body)
