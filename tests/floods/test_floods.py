"""Floods: a peer that sends what it can costs nobody their sign-in, and the server no memory."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest
from crashes.arrivals import arriving
from crashes.people import NEW_SIGN_IN, at_work
from floods.flood import STARTS, STATUSES, Flood
from floods.meters import MEBIBYTE, watching
from floods.newcomer import Newcomer
from floods.others import JONAS, MIRA, check_undisturbed, signed_in_person
from floods.pouring import pour
from floods.stage import SECONDS, Stage
from floods.steadiness import check_steady, in_words
from torture import size

from webex_oauth.flows.sign_in import ATTEMPT_SECONDS, MAX_ATTEMPTS

pytestmark = pytest.mark.check("H11")

REQUESTS = size(2_000, torture=100_000)
STARTS_BEYOND = size(1_000, torture=60_000)
TOKEN_PATH = "/v1/access_token"  # a path, not a token
MOST_GROWTH_BYTES = 2 * MEBIBYTE
FILL = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO attempts (state_digest, browser_digest, sealed, expires_at, kept_until, state)
  SELECT randomblob(32), randomblob(32), randomblob(320), :ends_at, :ends_at, 'open' FROM n
"""

Seen = Callable[[str, str], None]


@pytest.mark.torture
def test_a_flood_costs_others_nothing_and_leaves_nothing_but_starts(
    stage: Stage, seen: Seen
) -> None:
    victim = Newcomer(stage.port, JONAS)
    victim.begin()
    flood = Flood(stage.port, stage.cookies, victim.state)
    names = [drop.name for drop in flood.drops(REQUESTS)]
    with (
        watching(stage.meters) as watch,
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
    ):
        poured = pour(stage.port, flood.drops(REQUESTS))

    assert poured.statuses == Counter((name, STATUSES[name]) for name in names)
    assert len(poured.places) == 1
    assert victim.complete() == 303
    check_undisturbed(people, arrivals)
    sign_in_count = 2 + len(arrivals.ended)
    start_count = sum(name in STARTS for name in names) + people.statuses[NEW_SIGN_IN, 303]
    assert stage.count("attempts") == start_count + sign_in_count
    assert stage.count("sessions") == sign_in_count
    assert stage.emulator.journal.count("POST", TOKEN_PATH) == sign_in_count
    check_steady(watch, most_growth_bytes=MOST_GROWTH_BYTES)
    seen(
        f"a flood of {REQUESTS:,} starts, callbacks and cookies, all invented or stolen",
        f"no 500, meanwhile {len(arrivals.ended)} sign-ins of others in "
        f"{arrivals.longest_seconds():.1f} s at most, {in_words(watch)}",
    )


@pytest.mark.torture
@pytest.mark.check("A05")
def test_starts_beyond_the_bound_make_the_store_no_larger(stage: Stage, seen: Seen) -> None:
    fill_attempts(stage, MAX_ATTEMPTS)
    pour(stage.port, Flood(stage.port, stage.cookies).starts(1))
    before = stage.meters()

    with watching(stage.meters) as watch:
        poured = pour(stage.port, Flood(stage.port, stage.cookies).starts(STARTS_BEYOND))

    assert poured.statuses == Counter({("start", 303): STARTS_BEYOND})
    assert stage.count("attempts") == MAX_ATTEMPTS
    grown_bytes = watch.most(lambda reading: reading.database_bytes) - before.database_bytes
    assert grown_bytes < before.database_bytes / 2
    check_steady(watch, most_growth_bytes=MOST_GROWTH_BYTES)
    seen(
        f"{STARTS_BEYOND:,} starts at a store full of them",
        f"{MAX_ATTEMPTS:,} kept, the file {grown_bytes / MEBIBYTE:+.1f} MiB, {in_words(watch)}",
    )


def fill_attempts(stage: Stage, count: int) -> None:
    """Put attempts into the store as if so many had begun to sign in."""
    ends_at = int(time.time()) + ATTEMPT_SECONDS // 2
    with closing(sqlite3.connect(stage.database, timeout=SECONDS)) as database, database:
        database.execute(FILL, {"count": count, "ends_at": ends_at})
