"""Floods: a peer that sends what it can costs nobody their sign-in, and the server no memory."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from crashes.arrivals import arriving
from crashes.people import at_work
from floods.flood import STATUSES, Flood
from floods.meters import MEBIBYTE, watching
from floods.others import JONAS, MIRA, check_undisturbed, signed_in_person
from floods.pouring import pour
from floods.stage import Stage
from floods.steadiness import check_steady, in_words
from torture import size

from webex_oauth.emulator import Visitor
from webex_oauth.vault.rows import Kind

pytestmark = pytest.mark.check("H11")

REQUESTS = size(2_000, torture=100_000)
TOKEN_PATH = "/v1/access_token"  # a path, not a token
MOST_GROWTH_BYTES = 2 * MEBIBYTE
SECONDS = 30
Seen = Callable[[str, str], None]


def get(browser: requests.Session, url: str) -> requests.Response:
    return browser.get(url, allow_redirects=False, timeout=SECONDS)


@pytest.mark.torture
@pytest.mark.check("A05")
def test_a_flood_costs_others_nothing_and_writes_nothing(stage: Stage, seen: Seen) -> None:
    victim = requests.Session()
    url = get(victim, f"http://localhost:{stage.port}/login").headers["location"]
    flood = Flood(stage.port, stage.cookies, parse_qs(urlsplit(url).query)["state"][0])
    names = [drop.name for drop in flood.drops(REQUESTS)]
    with (
        watching(stage.meters) as watch,
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
    ):
        poured = pour(stage.port, flood.drops(REQUESTS))

    assert poured.statuses == Counter((name, STATUSES[name]) for name in names)
    assert len(poured.places) == 1
    assert get(victim, Visitor().sign_in(url, JONAS)).status_code == 303
    check_undisturbed(people, arrivals)
    sign_in_count = 2 + len(arrivals.ended)
    assert stage.count(Kind.STATE) == stage.count(Kind.SESSION) == sign_in_count
    assert stage.emulator.journal.count("POST", TOKEN_PATH) == sign_in_count
    check_steady(watch, most_growth_bytes=MOST_GROWTH_BYTES)
    seen(
        f"a flood of {REQUESTS:,} starts, callbacks and cookies, all invented or stolen",
        f"no 500, meanwhile {len(arrivals.ended)} sign-ins of others in "
        f"{arrivals.longest_seconds():.1f} s at most, {in_words(watch)}",
    )
