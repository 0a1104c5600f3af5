"""Peers that take and do not give cost others nothing, with the figures that ship."""

import time
from collections.abc import Callable, Iterator

import pytest
from crashes.arrivals import arriving
from crashes.people import at_work
from floods.meters import MEBIBYTE, Watch, watching
from floods.others import JONAS, MIRA, check_undisturbed, signed_in_person
from floods.peers import Kind, kinds, pour_pipelined, taking
from floods.stage import Stage
from services.haproxy import running_front
from services.processes import free_port
from torture import size
from waiting import SLACK_SECONDS, until

from webex_oauth.web.frame import BODY_SECONDS
from webex_oauth.web.listening import HEAD_SECONDS, SHIPPED, UNREAD_SECONDS

pytestmark = [pytest.mark.check("D18", "H11"), pytest.mark.torture, pytest.mark.timeout(240)]

COUNT_OF_EACH = size(150, torture=1_000)
PIPELINED_BYTES = 1_000_000
PIPELINING_SECONDS = size(3, torture=60)
CUT_OFF_SECONDS = max(HEAD_SECONDS, BODY_SECONDS, UNREAD_SECONDS)
MOST_BYTES_OF_EACH = 128 * 1024
SMALLEST = b"GET / HTTP/1.1\r\n\r\n"

Seen = Callable[[str, str], None]


@pytest.fixture(params=["directly", "through HAProxy"])
def door(request: pytest.FixtureRequest, stage: Stage) -> Iterator[int]:
    """Return the port that peers come to."""
    if request.param == "directly":
        yield stage.port
        return
    port = free_port()
    with running_front(port, stage.port):
        yield port


def test_peers_that_send_or_read_nothing_cost_others_nothing_and_are_cut_off(
    stage: Stage, seen: Seen
) -> None:
    some = kinds(stage.port)
    with (
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
        watching(stage.meters) as watch,
        taking(stage.port, some, COUNT_OF_EACH) as peers,
    ):
        begun_at = time.monotonic()
        until(lambda: not peers.left_by_kind, lambda: peers.left_by_kind)
        took_seconds = time.monotonic() - begun_at

    assert took_seconds < CUT_OFF_SECONDS + SLACK_SECONDS
    check_undisturbed(people, arrivals)
    grown_bytes = check_small(watch, COUNT_OF_EACH * len(some) * MOST_BYTES_OF_EACH)
    seen(
        f"{COUNT_OF_EACH * len(some):,} peers that send nothing, half, or octets, or read nothing",
        f"cut off within {took_seconds:.0f} s, others waited {people.longest_seconds():.1f} s at "
        f"most, memory {grown_bytes / MEBIBYTE:+.0f} MiB",
    )


def test_forms_that_never_come_keep_nobody_out(door: int, stage: Stage) -> None:
    forms = [kind for kind in kinds(stage.port) if "body" in kind.name]
    with (
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
        taking(door, forms, COUNT_OF_EACH),
    ):
        people.wait_for(200, 200)
        until(lambda: len(arrivals.ended) > 2)

    check_undisturbed(people, arrivals)


def test_a_peer_that_pipelines_costs_no_memory(stage: Stage, seen: Seen) -> None:
    with (
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
        watching(stage.meters) as watch,
    ):
        sent_bytes, came_bytes = pour_pipelined(stage.port, SMALLEST, PIPELINING_SECONDS)
        until(lambda: arrivals.ended)

    assert came_bytes > sent_bytes > PIPELINED_BYTES
    check_undisturbed(people, arrivals)
    grown_bytes = check_small(watch, 8 * MEBIBYTE)
    seen(
        f"one peer that pipelines {sent_bytes / 1e6:.1f} MB of the smallest requests",
        f"others waited {people.longest_seconds():.1f} s at most, "
        f"memory {grown_bytes / MEBIBYTE:+.1f} MiB",
    )


def test_more_connections_than_there_may_be_keep_nobody_out(stage: Stage) -> None:
    silent, many = Kind("silent", b""), SHIPPED.connections + COUNT_OF_EACH
    with (
        at_work([signed_in_person(stage, MIRA)]) as people,
        arriving(stage.port, JONAS) as arrivals,
        taking(stage.port, [silent], many) as peers,
    ):
        until(lambda: peers.left_by_kind["silent"] <= SHIPPED.connections)
        people.wait_for(200, 50)
        until(lambda: len(arrivals.ended) > 2)

    check_undisturbed(people, arrivals)


def check_small(watch: Watch, most_bytes: int) -> int:
    """Return by how much the memory has grown."""
    grown = watch.most(lambda reading: reading.memory_bytes) - watch.readings[0].memory_bytes
    assert grown < most_bytes
    return grown
