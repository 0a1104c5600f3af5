"""People made for the bench, and how a store finds them again."""

import secrets

import pytest

from bench.bulk import BATCH, batches
from bench.sealed_people import sealed_people, session_id, subject, token
from bench.upstream import token_endpoint_answer
from webex_oauth.vault.grants import open_grant
from webex_oauth.vault.records import digest, grant_key
from webex_oauth.vault.sealing import Key, KeyRing, Sealer
from webex_oauth.vault.sessions import is_live, is_touch_due, open_session

ISSUER = "https://idbroker.example"
NOW = 1_800_000_000
IDLE_SECONDS = 7 * 86_400


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(KeyRing(Key("k-1", secrets.token_bytes(32))), secrets.token_bytes)


def test_a_session_leads_to_the_grant_of_the_same_person(sealer: Sealer) -> None:
    person = next(sealed_people(sealer, ISSUER, range(7, 8), NOW))

    session = open_session(sealer, person.session)

    assert session.digest == digest(session_id(7))
    assert session.grant_key == person.grant.key == grant_key(ISSUER, subject(7))
    assert open_grant(sealer, person.grant).tokens.access_token == token(7)


@pytest.mark.parametrize("later_seconds", [0, 3_600])
def test_reading_a_session_writes_nothing(sealer: Sealer, later_seconds: int) -> None:
    person = next(sealed_people(sealer, ISSUER, range(1), NOW))

    assert is_live(person.session, NOW + later_seconds, IDLE_SECONDS)
    assert not is_touch_due(person.session, NOW + later_seconds, IDLE_SECONDS)


def test_the_stub_takes_a_persons_token_for_a_refresh() -> None:
    body = f"grant_type=refresh_token&refresh_token={token(3).reveal()}&client_secret=x"

    answer = token_endpoint_answer(body.encode())

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert token(3).reveal().encode() in answer


def test_batches_hold_everybody_once_and_in_order(sealer: Sealer) -> None:
    people = list(sealed_people(sealer, ISSUER, range(3), NOW))

    given = list(batches(people * (BATCH // 2)))

    assert max(map(len, given)) == BATCH
    assert [person for batch in given for person in batch] == people * (BATCH // 2)
