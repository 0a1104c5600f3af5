"""Lists in pages: their queries, and the Link header that leads on (RFC 8288)."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.endpoints.wire import json_answer
from webex_oauth.emulator.state import State

_LARGEST = 1_000_000_000

_Item = TypeVar("_Item")


class PageQuery(Struct, frozen=True, rename="camel"):
    """How long a page may be, and where it begins."""

    max: Annotated[int, Meta(ge=1, le=_LARGEST)] = 100
    cursor: Annotated[int, Meta(ge=0, le=_LARGEST)] = 0


_Query = TypeVar("_Query", bound=PageQuery)


def read_query(request: Request, kind: type[_Query]) -> _Query:
    """Return the query of a list; refuse (400) a meaningless one."""
    try:
        return msgspec.convert(dict(request.query_params), kind, strict=False)
    except msgspec.ValidationError as cause:
        raise bad_request(str(cause)) from cause


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
    end = query.cursor + min(query.max, cap)
    headers = {"Link": _next_link(state, request, end)} if end < len(items) else {}
    shown = [show(one) for one in items[query.cursor : end]]
    return json_answer({"items": shown, **more}, headers=headers)


def _next_link(state: State, request: Request, cursor: int) -> str:
    sent = request.query_params.multi_items()
    kept = [(name, value) for name, value in sent if name != "cursor"]
    url = f"{state.origins.front_door.as_asked(request.scope)}{request.url.path}"
    return f'<{url}?{urlencode([*kept, ("cursor", str(cursor))])}>; rel="next"'


def bad_request(message: str) -> HTTPException:
    """Return the refusal (400) of a meaningless request."""
    return HTTPException(HTTPStatus.BAD_REQUEST, message)
