"""Lists in pages: their queries, and the Link header that leads on (RFC 8288)."""

import base64
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.wire import json_answer, query_pairs
from webex_oauth.emulator.state import State

_CURSOR = re.compile(r"emulator:after:(?P<position>[0-9]{1,9})")

_Item = TypeVar("_Item")


class PageQuery(Struct, frozen=True, rename="camel"):
    """How long a page may be, and which one is requested."""

    max: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 100
    cursor: str = ""


_Query = TypeVar("_Query", bound=PageQuery)


def read_query(request: Request, kind: type[_Query]) -> _Query:
    """Return the query of a list; refuse (400) a meaningless one."""
    try:
        return msgspec.convert(dict(query_pairs(request)), kind, strict=False)
    except msgspec.ValidationError as cause:
        raise bad_request(str(cause)) from cause
    except ValueError as cause:
        raise bad_request("The query is malformed.") from cause


def answer_page(
    state: State,
    request: Request,
    query: PageQuery,
    items: Sequence[_Item],
    show: Callable[[_Item], Any],
    **more: Any,
) -> Response:
    """Return the page of *items* that a query asks for, with a link to the next one."""
    cap = state.options.page_cap
    if query.max > cap and state.options.over_cap == "refuse":
        raise bad_request(f"max must be between 1 and {cap}.")
    start = read_cursor(query.cursor) if query.cursor else 0
    end = start + min(query.max, cap)
    url = f"{state.origins.front_door.as_asked(request.scope)}{request.url.path}"
    headers = {"Link": next_link(url, query_pairs(request), end)} if end < len(items) else {}
    shown = [show(one) for one in items[start:end]]
    return json_answer({"items": shown, **more}, headers=headers)


def read_cursor(cursor: str) -> int:
    """Return where the page begins to which a cursor leads; refuse (400) an invented one."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    form = _CURSOR.fullmatch(text)
    if form is None:
        raise bad_request("cursor is invalid.")
    return int(form["position"])


def next_link(url: str, pairs: list[tuple[str, str]], position: int) -> str:
    """Return the Link header that leads to the page at *position*, keeping the query."""
    kept = [(name, value) for name, value in pairs if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"emulator:after:{position}".encode()).decode().rstrip("=")
    return f'<{url}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def bad_request(message: str) -> HTTPException:
    """Return the refusal (400) of a meaningless request."""
    return HTTPException(HTTPStatus.BAD_REQUEST, message)
