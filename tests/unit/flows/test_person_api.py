"""Calls as a person: one refresh when a token is refused, pages that end, no retry beyond that."""

import asyncio

import pytest
from unit.flows.workshop import (
    ALICE,
    NOW,
    PERSON_URL,
    PLATFORM,
    SCOPES,
    TOKEN_URL,
    Line,
    Workshop,
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


async def workshop_of_alice() -> Workshop:
    """Make a workshop with a grant of Alice's that lives."""
    workshop = Workshop()
    tokens = TokenSet(Secret("access-token-0"), NOW + 3_600, Secret("refresh"), None, None)
    grant = Grant(PLATFORM.server.issuer, "id-of-alice", tokens, frozenset(SCOPES), NOW)
    change = workshop.ledger.grants.put(KEY, grant)
    assert await workshop.rows.apply([change], durably=False)
    return workshop


def sent_tokens(workshop: Workshop, url: str) -> list[str]:
    return [one.headers["authorization"] for one in workshop.webex.requests if one.url == url]


def room_page(*numbers: int, next_url: str | None = None) -> Line:
    link = {"link": f'<{next_url}>; rel="next"'} if next_url else {}
    return answer({"items": [{"id": f"room-{number}"} for number in numbers]}, 200, **link)


async def test_a_call_carries_the_persons_token() -> None:
    workshop = await workshop_of_alice()

    person = await workshop.api(KEY).call(people.me())

    assert person.display_name == "Alice"
    assert sent_tokens(workshop, PERSON_URL) == ["Bearer access-token-0"]


@pytest.mark.check("B05")
async def test_a_refused_token_is_refreshed_and_the_call_repeated_once() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(PERSON_URL, REFUSED, ALICE)

    await workshop.api(KEY).call(people.me())

    expected = ["Bearer access-token-0", "Bearer access-token-1"]
    assert sent_tokens(workshop, PERSON_URL) == expected
    assert [form["grant_type"] for form in workshop.webex.forms(TOKEN_URL)] == ["refresh_token"]


@pytest.mark.check("B05")
async def test_a_second_refusal_asks_the_person() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(PERSON_URL, REFUSED)

    with pytest.raises(ReauthRequired) as required:
        await workshop.api(KEY).call(people.me())

    assert required.value.reason == "access_token_refused"
    assert required.value.sign_in_url == "http://localhost:8080/login"
    assert required.value.grant == KEY.hex()[:12]
    assert len(sent_tokens(workshop, PERSON_URL)) == 2
    assert len(workshop.webex.forms(TOKEN_URL)) == 1


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
    workshop = await workshop_of_alice()
    workshop.webex.script(PERSON_URL, line)

    with pytest.raises(error):
        await workshop.api(KEY).call(people.me())

    assert len(workshop.webex.requests) == 1


async def test_a_refused_refresh_asks_the_person() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(PERSON_URL, REFUSED)
    workshop.webex.script(TOKEN_URL, answer({"error": "invalid_grant"}, 400))

    with pytest.raises(ReauthRequired) as required:
        await workshop.api(KEY).call(people.me())

    assert isinstance(required.value.__cause__, InvalidGrant)


async def test_a_person_without_a_grant_is_asked_to_sign_in() -> None:
    workshop = Workshop()

    with pytest.raises(ReauthRequired):
        await workshop.api(KEY).call(people.me())

    assert workshop.webex.requests == []


async def collect(workshop: Workshop) -> list[Batch]:
    return [batch async for batch in spaces(workshop.api(KEY))]


async def test_few_spaces_take_one_request() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, 2))

    (batch,) = await collect(workshop)

    assert ([room.id for room in batch.rooms], batch.is_last) == (["room-1", "room-2"], True)


async def test_many_spaces_come_once_each_in_order() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, 2, next_url=f"{FIRST_URL}&cursor=1"))
    workshop.webex.script(WHOLE_URL, room_page(1, 2, 3, next_url=NEXT_URL))
    workshop.webex.script(NEXT_URL, room_page(3, 4))

    batches = await collect(workshop)

    ids = [[room.id for room in batch.rooms] for batch in batches]
    assert ids == [["room-1", "room-2"], ["room-3"], ["room-4"]]
    assert [batch.is_last for batch in batches] == [False, False, True]


async def test_the_first_spaces_are_given_after_one_answer() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))

    first = await anext(spaces(workshop.api(KEY)))

    assert [room.id for room in first.rooms] == ["room-1"]
    assert len(workshop.webex.requests) == 1


async def test_the_next_spaces_are_on_their_way_while_the_first_are_in_use() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    workshop.webex.script(WHOLE_URL, room_page(1, 2))
    batches, before = spaces(workshop.api(KEY)), asyncio.all_tasks()

    await anext(batches)
    (following,) = asyncio.all_tasks() - before
    await asyncio.wait([following])

    assert len(workshop.webex.requests) == 2
    assert [room.id for room in (await anext(batches)).rooms] == ["room-2"]


async def test_whoever_leaves_early_leaves_nothing_behind() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    workshop.webex.script(WHOLE_URL, room_page(1, 2))
    batches, before = spaces(workshop.api(KEY)), asyncio.all_tasks()
    await anext(batches)

    await batches.aclose()

    assert asyncio.all_tasks() == before


@pytest.mark.check("G10")
async def test_pages_that_go_round_in_a_circle_end() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    workshop.webex.script(WHOLE_URL, room_page(1, next_url=NEXT_URL))
    workshop.webex.script(NEXT_URL, room_page(2, next_url=NEXT_URL))

    with pytest.raises(InvalidResponse, match="circle"):
        await collect(workshop)

    assert len(workshop.webex.requests) == 3


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
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=url))

    with pytest.raises(InvalidResponse):
        await collect(workshop)

    assert [request.url for request in workshop.webex.requests] == [FIRST_URL]


async def test_a_token_refused_between_two_pages_is_refreshed() -> None:
    workshop = await workshop_of_alice()
    workshop.webex.script(FIRST_URL, room_page(1, next_url=f"{FIRST_URL}&cursor=1"))
    workshop.webex.script(WHOLE_URL, room_page(1, 2, next_url=NEXT_URL))
    workshop.webex.script(NEXT_URL, REFUSED, room_page(3))
    workshop.webex.script(TOKEN_URL, issued(1))

    batches = await collect(workshop)

    assert [room.id for batch in batches for room in batch.rooms] == ["room-1", "room-2", "room-3"]
