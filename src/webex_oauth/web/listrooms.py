"""`GET /listrooms`: all spaces of the person, sent as Webex's answers arrive."""

import logging
import unicodedata
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from webex_oauth.errors import AccessForbidden, WebexOAuthError
from webex_oauth.flows.spaces import Batch, first_batch, spaces
from webex_oauth.web.failure_page import api_failure, show_failure
from webex_oauth.web.failures import Refused
from webex_oauth.web.home import in_words
from webex_oauth.web.rooms_table import room_rows
from webex_oauth.web.views import Interruption, RoomsPage
from webex_oauth.web.visit import Visit
from webex_oauth.web.webex_failures import SCOPE_MISSING
from webex_oauth.webex.scopes import ROOMS_READ, permits

log = logging.getLogger(__name__)

MAX_FILTER_CHARACTERS = 200


async def show_rooms(visit: Visit) -> Response:
    """Show the spaces; the status is sent after Webex's first answer, so it is honest."""
    session = await visit.required_session()
    api = visit.site.integration.api(session.grant_key)
    try:
        first = await first_batch(api)
    except AccessForbidden:
        grant = await visit.site.integration.vault.grant(session.grant_key)
        if permits(grant.scopes, ROOMS_READ):
            raise
        reason = f"the grant lacks {ROOMS_READ}"
        return await show_failure(
            visit, Refused(SCOPE_MISSING, reason), missing_scope=in_words(ROOMS_READ)
        )
    listing = _Listing(visit, visit.query_field("filter")[:MAX_FILTER_CHARACTERS])
    if first.is_last:
        return Response(listing.whole(first), media_type="text/html")
    return StreamingResponse(listing.stream(spaces(api, first)), media_type="text/html")


class _Listing:
    """The page of spaces in the making: what was sent, and how much of it."""

    def __init__(self, visit: Visit, filter_text: str) -> None:
        self._visit = visit
        self._frame = visit.frame()
        self._filter_text = filter_text
        self._wanted = _folded(filter_text)
        self._shown_count = 0
        self._total_count = 0
        self._unreadable_count = 0

    def whole(self, only: Batch) -> bytes:
        rows = self._rows(only)
        self._note_unreadable()
        opening, closing = self._around_rows()
        return b"".join((opening, rows, closing))

    async def stream(self, batches: AsyncIterator[Batch]) -> AsyncIterator[bytes]:
        opening, _ = self._around_rows()
        yield opening
        interruption = None
        try:
            async for batch in batches:
                yield self._rows(batch)
        except WebexOAuthError as error:
            interruption = self._interruption(error)
        self._note_unreadable()
        _, closing = self._around_rows(interruption)
        yield closing

    def _rows(self, batch: Batch) -> bytes:
        rooms = batch.rooms
        self._total_count += len(rooms)
        self._unreadable_count += batch.unreadable_count
        if self._wanted:
            rooms = [room for room in rooms if self._wanted in _folded(room.title or "")]
        self._shown_count += len(rooms)
        return room_rows(rooms)

    def _around_rows(self, interruption: Interruption | None = None) -> tuple[bytes, bytes]:
        """Write the page around the rows; its end tells of the rows that were written so far."""
        page = RoomsPage(
            frame=self._frame,
            filter_text=self._filter_text,
            shown_count=self._shown_count,
            total_count=self._total_count,
            unreadable_count=self._unreadable_count,
            interruption=interruption,
        )
        return self._visit.site.pages.around_rows(page)

    def _note_unreadable(self) -> None:
        if self._unreadable_count:
            count = self._unreadable_count
            log.warning("%(count)s spaces that Webex listed could not be read", {"count": count})

    def _interruption(self, error: WebexOAuthError) -> Interruption:
        failure, reference_id = api_failure(error), self._visit.reference_id
        self._visit.note_refusal(failure.name, f"the list of spaces ends early: {error}", error)
        return Interruption(failure, self._visit.here().path, reference_id)


def _folded(text: str) -> str:
    """Fold what people do not tell apart: case, width, composition."""
    return unicodedata.normalize("NFKC", text).casefold()
