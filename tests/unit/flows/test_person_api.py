"""Calls as a person: one refresh when a token is refused, pages that end, no retry beyond that."""

import asyncio

import pytest
from unit.flows.fixtures import (
    ALICE,
    NOW,
    PERSON_URL,
    PLATFORM,
    SCOPES,
    TOKEN_URL,
    FlowFixture,
    Line,
    answer,
    issued,
)

from webex_oauth.errors import (
    AccessForbidden,
    AnswerLost,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    ReauthRequired,
    ServerFailed,
    WebexOAuthError,
)
from webex_oauth.flows.person_api import Batch, spaces
from webex_oauth.oauth.token import TokenSet
from webex_oauth.secret import Secret
from webex_oauth.vault.records import Grant, grant_key
from webex_oauth.webex import people

pytestmark = pytest.mark.anyio

KEY = grant_key(PLATFORM.server.issuer, "id-of-alice")
REFUSED = answer({"message": "token"}, 401)
FIRST_URL = f"{PLATFORM.api_base_url}rooms?max=100&sortBy=lastactivity"
WHOLE_URL = f"{PLATFORM.api_base_url}rooms?max=1000&sortBy=lastactivity"
NEXT_URL = f"{WHOLE_URL}&cursor=2"


async def with_alice() -> FlowFixture:
    """Make a fixture with a grant of Alice's that lives."""
    fixture = FlowFixture()
    tokens = TokenSet(Secret("access-token-0"), NOW + 3_600, Secret("refresh"), None, None)
    grant = Grant(PLATFORM.server.issuer, "id-of-alice", tokens, frozenset(SCOPES), NOW)
    change = fixture.ledger.grants.put(KEY, grant)
    assert await fixture.rows.apply([change], durably=False)
    return fixture


def sent_tokens(fixture: FlowFixture, url: str) -> list[str]:
    return [one.headers["authorization"] for one in fixture.webex.requests if one.url == url]


def room_page(*numbers: int, next_url: str | None = None) -> Line:
    link = {"link": f'<{next_url}>; rel="next"'} if next_url else {}
    return answer({"items": [{"id": f"room-{number}"} for number in numbers]}, 200, **link)


async def test_a_call_carries_the_persons_token() -> None:
    fixture = await with_alice()

    person = await fixture.api(KEY).call(people.me())

    assert person.display_name == "Alice"
    assert sent_tokens(fixture, PERSON_URL) == ["Bearer access-token-0"]


@pytest.mark.check("B05")
async def test_a_refused_token_is_refreshed_and_the_call_repeated_once() -> None:
    fixture = await with_alice()
    fixture.webex.script(PERSON_URL, REFUSED, ALICE)

    await fixture.api(KEY).call(people.me())

    expected = ["Bearer access-token-0", "Bearer access-token-1"]
    assert sent_tokens(fixture, PERSON_URL) == expected
    assert [form["grant_type"] for form in fixture.webex.forms(TOKEN_URL)] == ["refresh_token"]


@pytest.mark.check("B05")
async def test_a_second_refusal_asks_the_person() -> None:
    fixture = await with_alice()
    fixture.webex.script(PERSON_URL, REFUSED)

    with pytest.raises(ReauthRequired) as required:
        await fixture.api(KEY).call(people.me())

    assert required.value.reason == "access_token_refused"
    assert required.value.sign_in_url == "http://localhost:8080/login"
    assert required.value.grant == KEY.hex()[:12]
    assert len(sent_tokens(fixture, PERSON_URL)) == 2
    assert len(fixture.webex.forms(TOKEN_URL)) == 1


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (answer({"message": "no"}, 403), AccessForbidden),
        (answer({}, 429, **{"retry-after": "9"}), RateLimited),
        (answer({}, 503), ServerFailed),
        (answer({"id": 7}), InvalidResponse),
        (AnswerLost("reset"), AnswerLost),
    ],
)
async def test_any_other_failure_is_told_after_one_request(
    line: Line, error: type[WebexOAuthError]
) -> None:
    fixture = await with_alice()
    fixture.webex.script(PERSON_URL, line)

    with pytest.raises(error):
        await fixture.api(KEY).call(people.me())

    assert len(fixture.webex.requests) == 1


async def test_a_refused_refresh_asks_the_person() -> None:
    fixture = await with_alice()
    fixture.webex.script(PERSON_URL, REFUSED)
    fixture.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))

    with pytest.raises(ReauthRequired) as required:
        await fixture.api(KEY).call(people.me())

    assert isinstance(required.value.__cause__, InvalidGrant)


async def test_a_person_without_a_grant_is_asked_to_sign_in() -> None:
    fixture = FlowFixture()

    with pytest.raises(ReauthRequired):
        await fixture.api(KEY).call(people.me())

    assert fixture.webex.requests == []


async def collect(fixture: FlowFixture) -> list[Batch]:
    return [batch async for batch in spaces(fixture.api(KEY))]


async def test_few_spaces_take_one_request() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, 2))

    (batch,) = await collect(fixture)

    assert ([room.id for room in batch.rooms], batch.is_last) == (["room-1", "room-2"], True)


async def test_many_spaces_come_once_each_in_order() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, 2, next_url=f"{FIRST_URL}&cursor=1"))
    fixture.webex.script(WHOLE_URL, room_page(1, 2, 3, next_url=NEXT_URL))
    fixture.webex.script(NEXT_URL, room_page(3, 4))

    batches = await collect(fixture)

    ids = [[room.id for room in batch.rooms] for batch in batches]
    assert ids == [["room-1", "room-2"], ["room-3"], ["room-4"]]
    assert [batch.is_last for batch in batches] == [False, False, True]


async def test_the_first_spaces_are_given_after_one_answer() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))

    first = await anext(spaces(fixture.api(KEY)))

    assert [room.id for room in first.rooms] == ["room-1"]
    assert len(fixture.webex.requests) == 1


async def test_the_next_spaces_are_on_their_way_while_the_first_are_in_use() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    fixture.webex.script(WHOLE_URL, room_page(1, 2))
    batches, before = spaces(fixture.api(KEY)), asyncio.all_tasks()

    await anext(batches)
    (following,) = asyncio.all_tasks() - before
    await asyncio.wait([following])

    assert len(fixture.webex.requests) == 2
    assert [room.id for room in (await anext(batches)).rooms] == ["room-2"]


async def test_a_caller_who_leaves_early_leaves_nothing_behind() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    fixture.webex.script(WHOLE_URL, room_page(1, 2))
    batches, before = spaces(fixture.api(KEY)), asyncio.all_tasks()
    await anext(batches)

    await batches.aclose()

    assert asyncio.all_tasks() == before


@pytest.mark.check("G10")
async def test_pages_that_go_round_in_a_circle_end() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    fixture.webex.script(WHOLE_URL, room_page(1, next_url=NEXT_URL))
    fixture.webex.script(NEXT_URL, room_page(2, next_url=NEXT_URL))

    with pytest.raises(InvalidResponse, match="circle"):
        await collect(fixture)

    assert len(fixture.webex.requests) == 3


@pytest.mark.check("B04")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/rooms",
        "http://localhost:8091/v1/rooms",
        "http://localhost:8090.evil.example/v1/rooms",
        "http://localhost:8090@evil.example/v1/rooms",
        "//evil.example/v1/rooms",
        "http://localhost:8090/v1/../idb/rooms",
    ],
)
async def test_a_next_page_elsewhere_never_gets_the_token(url: str) -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=url))

    with pytest.raises(InvalidResponse):
        await collect(fixture)

    assert [request.url for request in fixture.webex.requests] == [FIRST_URL]


async def test_a_token_refused_between_two_pages_is_refreshed() -> None:
    fixture = await with_alice()
    fixture.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    fixture.webex.script(WHOLE_URL, room_page(1, 2, next_url=NEXT_URL))
    fixture.webex.script(NEXT_URL, REFUSED, room_page(3))
    fixture.webex.script(TOKEN_URL, issued(1))

    batches = await collect(fixture)

    assert [room.id for batch in batches for room in batch.rooms] == ["room-1", "room-2", "room-3"]
