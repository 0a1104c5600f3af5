"""`BearerAuth` for requests and httpx: the token goes to Webex's API alone, and is always good."""

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import httpx
import pytest
import requests
from doors.spy import spying
from library.people import World

from webex_oauth import AsyncIntegration, Grant, Integration, ReauthRequired
from webex_oauth.emulator import Answer
from webex_oauth.httpx import BearerAuth
from webex_oauth.requests import BearerAuth as RequestsAuth

AMARA = "amara@acme.example"  # whose spaces no other test counts
ME, TOKEN = "/v1/people/me", "/v1/access_token"
FIFTEEN_DAYS = 15 * 86_400
MESSAGE = b'{"toPersonEmail": "jonas@acme.example", "text": "Once more"}'
AS_JSON = {"Content-Type": "application/json"}


class Response(Protocol):
    @property
    def status_code(self) -> int: ...
    def json(self) -> Any: ...


Send: TypeAlias = Callable[..., Response]


def with_requests(grant: Grant, method: str, url: str, **how: Any) -> Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, auth=RequestsAuth(grant), timeout=20, **how)


def with_httpx(grant: Grant, method: str, url: str, **how: Any) -> Response:
    auth = BearerAuth(grant)
    with httpx.Client(auth=auth, trust_env=False, follow_redirects=True, timeout=20) as client:
        return client.request(method, url, **_as_httpx(how))


def with_async_httpx(grant: Grant, method: str, url: str, **how: Any) -> Response:
    async def send() -> Response:
        async with (
            AsyncIntegration(SETTINGS[grant.person_id]) as webex,
            httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=20) as client,
        ):
            auth = BearerAuth(await webex.grants.get(grant.person_id))
            return await client.request(method, url, auth=auth, **_as_httpx(how))

    return asyncio.run(send())


SETTINGS: dict[str, Any] = {}
"""The settings under which each person is known; the asynchronous client opens them itself."""


def _as_httpx(how: dict[str, Any]) -> dict[str, Any]:
    body = how.pop("data", None)
    return how if body is None else {**how, "content": body}


CLIENTS = pytest.mark.parametrize("send", [with_requests, with_httpx, with_async_httpx])


@dataclass(frozen=True, slots=True)
class Caller:
    world: World
    grant: Grant
    api: str

    def count(self, method: str, path: str) -> int:
        return len(self.world.emulator.journal.matching(method, path))

    def end_access_token(self) -> None:
        """Let the access token end at Webex; here it seems good."""
        self.world.emulator.clock.advance(FIFTEEN_DAYS)
        self.world.emulator.journal.clear()


@pytest.fixture
def caller(world: World) -> Iterator[Caller]:
    with Integration(world.settings) as webex:
        grant = world.adopt_now(webex, AMARA, "spark:messages_write")
        SETTINGS[grant.person_id] = world.settings
        world.emulator.journal.clear()
        yield Caller(world, grant, world.settings.platform.api_base_url)
        SETTINGS.clear()


@CLIENTS
def test_a_request_to_the_api_carries_the_token(caller: Caller, send: Send) -> None:
    answer = send(caller.grant, "GET", f"{caller.api}people/me")

    assert answer.json()["displayName"] == "Amara Okafor"


@CLIENTS
def test_a_refused_token_is_refreshed_once_and_the_request_repeated_once(
    caller: Caller, send: Send
) -> None:
    caller.end_access_token()

    answer = send(caller.grant, "GET", f"{caller.api}people/me")

    assert answer.json()["displayName"] == "Amara Okafor"
    assert (caller.count("GET", ME), caller.count("POST", TOKEN)) == (2, 1)


@CLIENTS
def test_a_second_refusal_is_returned(caller: Caller, send: Send) -> None:
    caller.world.emulator.faults.add("GET", ME, Answer(status=401), times=None)

    answer = send(caller.grant, "GET", f"{caller.api}people/me")

    assert answer.status_code == 401
    assert (caller.count("GET", ME), caller.count("POST", TOKEN)) == (2, 1)


@CLIENTS
def test_a_body_is_sent_again_whole(caller: Caller, send: Send) -> None:
    caller.end_access_token()

    answer = send(caller.grant, "POST", f"{caller.api}messages", data=MESSAGE, headers=AS_JSON)

    assert answer.json()["text"] == "Once more"
    assert (caller.count("POST", "/v1/messages"), caller.count("POST", TOKEN)) == (2, 1)


def test_requests_reads_a_file_again(caller: Caller) -> None:
    caller.end_access_token()
    file = io.BytesIO(b"skipped" + MESSAGE)
    file.seek(len(b"skipped"))

    answer = with_requests(
        caller.grant, "POST", f"{caller.api}messages", data=file, headers=AS_JSON
    )

    assert answer.json()["text"] == "Once more"


@pytest.mark.parametrize("send", [with_requests, with_httpx])
def test_a_body_that_cannot_be_read_again_is_not_sent_again(caller: Caller, send: Send) -> None:
    caller.end_access_token()

    answer = send(
        caller.grant, "POST", f"{caller.api}messages", data=iter([MESSAGE]), headers=AS_JSON
    )

    assert answer.status_code == 401
    assert (caller.count("POST", "/v1/messages"), caller.count("POST", TOKEN)) == (1, 1)
    assert send(caller.grant, "GET", f"{caller.api}people/me").status_code == 200


@CLIENTS
def test_only_the_person_can_help_if_the_refresh_is_refused(caller: Caller, send: Send) -> None:
    caller.world.emulator.tokens.clear()

    with pytest.raises(ReauthRequired) as refused:
        send(caller.grant, "GET", f"{caller.api}people/me")

    assert refused.value.person_id == caller.grant.person_id


@pytest.mark.check("B12")
@CLIENTS
@pytest.mark.parametrize("trick", ["{spy}/", "{api}@{host}/", "http://u:p@{host}/v1/people/me"])
def test_another_server_gets_no_token(caller: Caller, send: Send, trick: str) -> None:
    with spying() as spy:
        host = spy.origin.partition("//")[2]
        url = trick.format(spy=spy.origin, api=caller.world.emulator.origin, host=host)
        send(caller.grant, "GET", url)

    assert len(spy.credentials) == 1
    assert not str(spy.credentials[0]).startswith("Bearer")


@pytest.mark.check("B12")
@CLIENTS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_follows_a_redirect_to_another_server(
    caller: Caller, send: Send, status: int
) -> None:
    with spying(401) as spy:
        elsewhere = Answer(status=status, headers={"Location": f"{spy.origin}/"})
        caller.world.emulator.faults.add("GET", ME, elsewhere)
        answer = send(caller.grant, "GET", f"{caller.api}people/me")

    assert answer.status_code == 401
    assert spy.credentials == [None]
    assert caller.count("POST", TOKEN) == 0


@CLIENTS
def test_a_redirect_within_the_api_keeps_the_token_good(caller: Caller, send: Send) -> None:
    caller.end_access_token()
    within = Answer(status=302, headers={"Location": f"{caller.api}people/me"})
    caller.world.emulator.faults.add("GET", "/v1/rooms", within, times=None)

    answer = send(caller.grant, "GET", f"{caller.api}rooms")

    assert answer.json()["displayName"] == "Amara Okafor"
    assert caller.count("POST", TOKEN) == 1


def test_the_wrong_kind_of_grant_is_refused_at_once(caller: Caller) -> None:
    for auth in (RequestsAuth, BearerAuth):
        with pytest.raises(TypeError, match="BearerAuth takes a Grant"):
            auth("a token")  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=r"AsyncIntegration with httpx\.AsyncClient"):
        asyncio.run(to_asynchronous_client(caller))

    async def to_synchronous_clients() -> None:
        async with AsyncIntegration(caller.world.settings) as webex:
            grant = await webex.grants.one()
            with pytest.raises(TypeError, match="AsyncGrant"):
                RequestsAuth(grant)  # type: ignore[arg-type]
            flow = BearerAuth(grant).sync_auth_flow(httpx.Request("GET", caller.api))
            with pytest.raises(TypeError, match=r"Integration goes with httpx\.Client"):
                next(flow)

    asyncio.run(to_synchronous_clients())


async def to_asynchronous_client(caller: Caller) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(caller.api, auth=BearerAuth(caller.grant))
