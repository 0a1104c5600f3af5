"""The journal tells what was asked, counts it, waits for it, and keeps no secret."""

import threading
from http.client import HTTPException

import pytest
from emulator.wire import Wire

from webex_oauth.emulator import (
    Action,
    Drop,
    Emulator,
    Entry,
    Journal,
    Person,
    Raw,
    Reset,
    Truncate,
    digest,
)


def test_requests_are_counted_when_they_arrive_and_waited_for_until_they_are_over() -> None:
    journal, entry = Journal(), Entry("GET", "/v1/rooms")
    journal.open(entry)
    assert journal.count("GET", "/v1/*") == 1
    assert journal.count("POST") == 0
    with pytest.raises(TimeoutError, match="0 of 1 GET /v1/rooms"):
        journal.wait_for("GET", "/v1/rooms", timeout_seconds=0.01)
    closing = threading.Timer(0.01, journal.close, (entry,))

    closing.start()
    (over,) = journal.wait_for("GET", "/v1/rooms", timeout_seconds=5)

    closing.join()
    assert over is entry


def test_a_form_without_end_weighs_no_more_than_a_hundred_fields(
    emulator: Emulator, wire: Wire
) -> None:
    wire.post("/v1/access_token", {f"f{number}": "" for number in range(1_000)})

    (entry,) = emulator.journal.matching("POST")
    assert len(entry.form) == 100


def test_no_secret_of_a_token_request_is_kept(emulator: Emulator, wire: Wire, code: str) -> None:
    fields = wire.code_fields(code)

    wire.post("/v1/access_token", fields)

    (entry,) = emulator.journal.wait_for("POST", "/v1/access_token")
    assert fields["client_secret"] not in repr(entry)
    assert code not in repr(entry)
    assert entry.form_by_name["code"] == digest(code)
    assert entry.form_by_name["grant_type"] == "authorization_code"


def test_of_a_query_only_harmless_values_are_kept(emulator: Emulator, wire: Wire) -> None:
    wire.get("/v1/rooms?max=10&cursor=opaque&access_token=leaked")

    (entry,) = emulator.journal.wait_for("GET", "/v1/rooms")
    assert dict(entry.query) == {
        "max": "10",
        "cursor": digest("opaque"),
        "access_token": digest("leaked"),
    }


def test_credentials_are_kept_as_digests_with_and_without_a_scheme(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    wire.get("/v1/people/me", token)
    wire.get("/v1/people/me", Authorization="bare-secret-value")

    bearer, bare = emulator.journal.wait_for("GET", "/v1/people/me", count=2)
    assert bearer.authorization == f"Bearer {digest(token)}"
    assert bearer.client_id == emulator.integration.client_id
    assert "authorization" in bearer.header_names
    assert "bare-secret-value" not in repr(bare)


def test_an_entry_is_whole_when_the_answer_is(emulator: Emulator, wire: Wire, mira: Person) -> None:
    granted = emulator.grant_without_consent(mira)
    assert granted.refresh_token
    fields = wire.token_fields("refresh_token", refresh_token=granted.refresh_token.value)

    for _ in range(100):
        wire.post("/v1/access_token", fields)
        entry = emulator.journal.entries[-1]
        assert (entry.is_over, entry.status) == (True, 200)
        assert entry.form_by_name["grant_type"] == "refresh_token"
        assert entry.notes == ["client_authenticated:form"]
        wire.get("/idb/oauth2/v1/logout?goto=http://localhost:8080/")
        assert emulator.journal.entries[-1].status == 302


@pytest.mark.parametrize("fault", [Drop(), Reset(), Raw(b"no HTTP\r\n"), Truncate(0)])
def test_an_answer_that_breaks_off_has_a_whole_entry(
    emulator: Emulator, wire: Wire, fault: Action
) -> None:
    emulator.faults.add("POST", "/v1/access_token", fault, times=None)
    for _ in range(50):
        with pytest.raises((OSError, HTTPException)):
            wire.post("/v1/access_token", {"grant_type": "none"})
        entry = emulator.journal.entries[-1]
        assert entry.is_over
        assert entry.form_by_name == {"grant_type": "none"}
        assert entry.fault
