"""A soak: after many thousand requests of every kind the process is what it was at first."""

import time
from collections.abc import Callable

import pytest
from crashes.people import NAMES
from floods.meters import MEBIBYTE, watching
from floods.regulars import BROWSERS_OF_EACH, let_come_and_go
from floods.stage import Stage
from floods.steadiness import check_steady, in_words
from torture import size
from waiting import until

from webex_oauth.vault.rows import Kind

REQUESTS = size(1_500, torture=50_000)
LIMIT_SECONDS = 30
MOST_GROWTH_BYTES = 8 * MEBIBYTE
"""Long pages that come and go leave gaps in the heap, which settles only after a while."""

MOST_CONNECTIONS = 24
"""Connections to Webex that are kept for the next request."""


@pytest.mark.torture
@pytest.mark.check("H12")
def test_many_thousand_requests_leave_the_process_as_it_was(
    stage: Stage, seen: Callable[[str, str], None]
) -> None:
    before, begun_at = stage.meters(), time.monotonic()

    with watching(stage.meters) as watch:
        diary = let_come_and_go(stage.port, REQUESTS)
    rate = diary.count / (time.monotonic() - begun_at)

    assert diary.unexpected == {}
    assert diary.foreign_pages == []
    assert diary.hung_up_count > REQUESTS / 20
    assert refresh_count(stage)
    check_steady(watch, most_growth_bytes=MOST_GROWTH_BYTES)
    until(lambda: stage.meters().file_count <= before.file_count + MOST_CONNECTIONS)
    check_drained(stage)
    seen(
        f"{diary.count:,} requests of {len(NAMES)} people in {len(NAMES) * BROWSERS_OF_EACH} "
        "browsers, with sign-ins, sign-outs, refreshes, mistakes and hang-ups",
        f"no 500, nobody's page for another, {rate:.0f}/s, {in_words(watch)}",
    )


def refresh_count(stage: Stage) -> int:
    """Count the refreshes among the latest requests to Webex."""
    forms = (entry.form_by_name for entry in stage.emulator.journal.matching("POST"))
    return sum(form.get("grant_type") == "refresh_token" for form in forms)


def check_drained(stage: Stage) -> None:
    """Check whether nothing stays in the store but who is signed in."""
    until(lambda: stage.count(Kind.REVOCATION) == 0)
    assert stage.count(Kind.SESSION) <= len(NAMES) * BROWSERS_OF_EACH
    assert stage.count(Kind.GRANT) <= len(NAMES)
