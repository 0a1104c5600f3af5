"""`GET /listrooms`: all spaces of the person, sent as Webex's answers arrive."""

import logging
import unicodedata
from collections.abc import AsyncIterator, Sequence

from starlette.responses import Response, StreamingResponse

from webex_oauth.errors import AccessForbidden, WebexOAuthError
from webex_oauth.flows.spaces import Batch, spaces
from webex_oauth.web.diagnosis import api_failure
from webex_oauth.web.rooms_table import room_rows
from webex_oauth.web.scope_words import in_words
from webex_oauth.web.views import Interruption, MissingScopePage, RoomsClosing, RoomsOpening
from webex_oauth.web.visit import Visit
from webex_oauth.webex.rooms import Room
from webex_oauth.webex.scopes import ROOMS_READ, permits

log = logging.getLogger(__name__)

MAX_FILTER_CHARACTERS = 200


async def show_rooms(visit: Visit) -> Response:
    """Show the spaces; the status is sent after Webex's first answer, so it is honest."""
    session = await visit.required_session()
    batches = spaces(visit.site.integration.api(session.grant_key))
    try:
        first = await anext(batches)
    except AccessForbidden:
        grant = await visit.site.integration.vault.grant(session.grant_key)
        if permits(grant.scopes, ROOMS_READ):
            raise
        return _explain_scope(visit)
    listing = _Listing(visit, visit.request.query_params.get("filter", "")[:MAX_FILTER_CHARACTERS])
    if first.is_last:
        return Response(
            b"".join((listing.opening(), listing.rows(first.rooms), listing.closing())),
            media_type="text/html",
        )
    return StreamingResponse(listing.stream(first, batches), media_type="text/html")


def _explain_scope(visit: Visit) -> Response:
    page = MissingScopePage(
        frame=visit.frame(),
        missing_scope=in_words(ROOMS_READ),
        return_to=visit.here().path,
        reference_id=visit.reference_id,
    )
    return visit.show(page, 403)


class _Listing:
    """The page of spaces in the making: what was sent, and how much of it."""

    def __init__(self, visit: Visit, filter_text: str) -> None:
        self._visit = visit
        self._filter_text = filter_text
        self._wanted = _folded(filter_text)
        self._shown_count = 0
        self._total_count = 0

    def opening(self) -> bytes:
        return self._visit.site.pages.rooms_opening(
            RoomsOpening(self._visit.frame(), self._filter_text)
        )

    def rows(self, rooms: Sequence[Room]) -> bytes:
        self._total_count += len(rooms)
        if self._wanted:
            rooms = [room for room in rooms if self._wanted in _folded(room.title or "")]
        self._shown_count += len(rooms)
        return room_rows(rooms)

    def closing(self, interruption: Interruption | None = None) -> bytes:
        return self._visit.site.pages.rooms_closing(
            RoomsClosing(
                frame=self._visit.frame(),
                filter_text=self._filter_text,
                shown_count=self._shown_count,
                total_count=self._total_count,
                retry_url=self._visit.here().path,
                interruption=interruption,
            )
        )

    async def stream(self, first: Batch, rest: AsyncIterator[Batch]) -> AsyncIterator[bytes]:
        yield self.opening() + self.rows(first.rooms)
        interruption = None
        try:
            async for batch in rest:
                yield self.rows(batch.rooms)
        except WebexOAuthError as error:
            failure = api_failure(error)
            log.warning(
                "the list of spaces was interrupted",
                extra={"reference": self._visit.reference_id, "failure": failure.name},
            )
            interruption = Interruption(failure, self._visit.reference_id)
        yield self.closing(interruption)


def _folded(text: str) -> str:
    """Fold what people do not tell apart: case, width, composition."""
    return unicodedata.normalize("NFKC", text).casefold()
