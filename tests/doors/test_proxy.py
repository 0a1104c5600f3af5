"""The proxy: what a front end may call, what reaches Webex, and what comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from doors.browsing import ORIGIN, Browser, browsing, settings_of
from fastapi import FastAPI
from library.people import LUCA, MIRA, World
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Mount
from starlette.types import Message
from waiting import until_true

from webex_oauth.emulator import Answer, Hang, NextLink, Slow, Truncate
from webex_oauth.fastapi import WebexAuth
from webex_oauth.flows.context import WAITING_OF_ONE
from webex_oauth.frameworks.proxy import MAX_UPLOAD_BYTES, RELAYED_OF_ONE, REPLAYED_BYTES
from webex_oauth.starlette import WebexAuth as StarletteAuth

pytestmark = pytest.mark.anyio

CSRF = {"x-webex-csrf": "1"}
ALLOWED = ["GET people/me", "GET rooms", "GET rooms/*", "POST messages"]
FORGED = {"origin": "https://evil"}
PIECE_BYTES = 40_000


@asynccontextmanager
async def signed_in(
    world: World, email: str = LUCA, allow: list[str] = ALLOWED
) -> AsyncIterator[Browser]:
    app = FastAPI()
    webex = WebexAuth(app, settings=settings_of(world))
    app.include_router(webex.proxy(allow), prefix="/api/webex")
    async with browsing(app) as browser:
        await browser.sign_in(email)
        browser.headers.update(CSRF)
        world.emulator.journal.clear()
        yield browser


def asked(world: World) -> list[tuple[str, str]]:
    """Return what reached Webex's API."""
    entries = world.emulator.journal.entries
    return [(entry.method, entry.path) for entry in entries if "token" not in entry.path]


async def test_a_front_end_reads_as_the_person_and_follows_links(world: World) -> None:
    async with signed_in(world, MIRA) as browser:
        me = await browser.get("/api/webex/people/me")
        rooms = await browser.get("/api/webex/rooms?max=100")

        assert me.json()["emails"] == [MIRA]
        link = rooms.headers["link"]
        assert link.startswith(f"<{ORIGIN}/api/webex/rooms?")
        assert link.endswith('>; rel="next"')
        following = await browser.get(link.partition(">")[0][1:])
        assert len(rooms.json()["items"]) == len(following.json()["items"]) == 100


async def test_starlette_mounts_the_proxy(world: World) -> None:
    webex = StarletteAuth(settings=settings_of(world))
    mounted = Mount("/api/webex", webex.proxy(ALLOWED))
    app = Starlette(routes=[*webex.router.routes, mounted], lifespan=webex.lifespan)

    async with browsing(app) as browser:
        refused = await browser.get("/api/webex/people/me", headers=CSRF)
        await browser.sign_in(MIRA)
        rooms = await browser.get("/api/webex/rooms?max=1", headers=CSRF)

    assert refused.json()["sign_in_url"].startswith(f"{ORIGIN}/login")
    assert rooms.headers["link"].startswith(f"<{ORIGIN}/api/webex/rooms?")


async def test_nobody_is_told_where_to_sign_in(world: World) -> None:
    async with signed_in(world) as browser:
        browser.cookies.clear()
        answer = await browser.get("/api/webex/people/me")

    assert answer.status_code == 401
    assert answer.json()["sign_in_url"] == f"{ORIGIN}/login?return_to=%2F"
    assert asked(world) == []


@pytest.mark.check("D09")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-webex-csrf": ""},
        {"x-webex-csrf": "0"},
        {"origin": "null"},
        FORGED,
        {"sec-fetch-site": "cross-site"},
    ],
)
async def test_a_call_that_no_page_of_this_origin_makes_is_refused(
    world: World, headers: dict[str, str]
) -> None:
    async with signed_in(world) as browser:
        answer = await browser.get("/api/webex/people/me", headers=headers)

    assert answer.status_code == 403
    assert "X-Webex-CSRF" in answer.json()["remedy"]
    assert asked(world) == []


TRICKS = [
    "people",
    "people/",
    "people/me/",
    "/people/me",
    "people//me",
    "people%2Fme",
    "people%2fme",
    "people/./me",
    "people/%2e/me",
    "rooms/..",
    "rooms/%2e%2e",
    "rooms/%252e%252e",
    "rooms/..%2fpeople",
    "rooms/%2e%2e%2fpeople%2fme",
    "rooms/..;/x",
    "rooms/a;b",
    "rooms/a%3Bb",
    "rooms/a\\b",
    "rooms/a%5Cb",
    "rooms/a%3Fb",
    "rooms/a%23b",
    "rooms/a%0d%0aX-Evil:%201",
    "rooms/a%00",
    "rooms/a%C3%A9",
    "rooms/a%20b",
    "rooms/a/b",
    "ROOMS",
    "https://evil/rooms",
    "@evil/rooms",
    "licenses",
]


@pytest.mark.check("D17", "E10", "E11")
@pytest.mark.parametrize("trick", TRICKS)
async def test_no_spelling_of_a_path_leads_beyond_the_list(world: World, trick: str) -> None:
    async with signed_in(world) as browser:
        status, _, _ = await raw(browser, f"/api/webex/{trick}")

    assert status == 404
    assert asked(world) == []


@pytest.mark.check("E10")
async def test_a_star_is_one_segment_which_reaches_webex_as_it_was(world: World) -> None:
    async with signed_in(world) as browser:
        room_id = (await browser.get("/api/webex/rooms?max=1")).json()["items"][0]["id"]
        world.emulator.journal.clear()
        room = await browser.get(f"/api/webex/rooms/{room_id}")
        strange, _, _ = await raw(browser, "/api/webex/rooms/a%3D@b:c,d~e")

    assert room.json()["id"] == room_id
    assert strange == 400  # by Webex, which knows no such room
    assert asked(world) == [
        ("GET", f"/v1/rooms/{room_id}"),
        ("GET", "/v1/rooms/a=@b:c,d~e"),
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_method_that_is_not_listed_is_not_relayed(world: World, method: str) -> None:
    async with signed_in(world) as browser:
        answer = await browser.request(method, "/api/webex/people/me")

    assert answer.status_code == 404
    assert asked(world) == []


@pytest.mark.check("B04", "E11")
async def test_only_harmless_headers_pass_in_either_direction(world: World) -> None:
    fault = Answer(headers={"set-cookie": "a=b", "x-internal": "1", "etag": '"e"', "server": "x"})
    async with signed_in(world) as browser:
        world.emulator.faults.add("GET", "/v1/people/me", fault)
        answer = await browser.get(
            "/api/webex/people/me",
            headers={"authorization": "Bearer mine", "x-forwarded-for": "1.2.3.4", "te": "gzip"},
        )

    (entry,) = world.emulator.journal.matching("GET", "/v1/people/me")
    assert not {"cookie", "x-forwarded-for", "x-webex-csrf", "te"} & set(entry.header_names)
    assert answer.headers["etag"] == '"e"'
    assert not {"set-cookie", "x-internal", "server"} & set(answer.headers)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_head_of_an_answer_comes_without_its_body(world: World) -> None:
    async with signed_in(world) as browser:
        whole, head = await browser.get("/api/webex/rooms"), await browser.head("/api/webex/rooms")
        not_listed = await browser.head("/api/webex/messages")

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
        assert asked(world) == [("GET", "/v1/rooms"), ("HEAD", "/v1/rooms")]
        assert not_listed.status_code == 404


async def test_a_header_that_cannot_be_sent_is_refused(world: World) -> None:
    async with signed_in(world) as browser:
        answer = await browser.get("/api/webex/rooms", headers=[(b"range", b"\xe9")])

    assert answer.status_code == 400


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
async def test_a_refusal_of_webex_comes_back_as_it_is(world: World, status: int) -> None:
    fault = Answer(status=status, text='{"message": "no"}', headers={"Retry-After": "7"})
    async with signed_in(world) as browser:
        world.emulator.faults.add("*", "/v1/people/me", fault)
        answer = await browser.get("/api/webex/people/me")

    assert (answer.status_code, answer.json()) == (status, {"message": "no"})
    assert answer.headers["retry-after"] == "7"


@pytest.mark.check("B04")
async def test_a_redirect_is_not_passed_on(world: World) -> None:
    fault = Answer(status=302, headers={"Location": "https://evil/"})
    async with signed_in(world) as browser:
        world.emulator.faults.add("*", "/v1/people/me", fault)
        answer = await browser.get("/api/webex/people/me")

    assert (answer.status_code, answer.json()["error"]) == (503, "InvalidResponse")
    assert "location" not in answer.headers


@pytest.mark.check("B04")
async def test_a_link_to_another_origin_is_left_out(world: World) -> None:
    async with signed_in(world, MIRA) as browser:
        fault = NextLink(to="foreign", foreign_origin="https://evil")
        world.emulator.faults.add("*", "/v1/rooms", fault)
        answer = await browser.get("/api/webex/rooms?max=10")

    assert answer.status_code == 200
    assert "link" not in answer.headers


REFUSED = Answer(status=401, text='{"message": "expired"}')


@pytest.mark.check("B05")
async def test_a_refused_token_is_refreshed_once_and_the_body_sent_again(world: World) -> None:
    async with signed_in(world) as browser:
        (room, *_) = (await browser.get("/api/webex/rooms")).json()["items"]
        message = {"roomId": room["id"], "text": "hello"}
        world.emulator.journal.clear()
        world.emulator.faults.add("*", "/v1/messages", REFUSED)
        answer = await browser.post("/api/webex/messages", json=message)

    assert (answer.status_code, answer.json()["text"]) == (200, "hello")
    assert asked(world) == [("POST", "/v1/messages")] * 2
    assert world.emulator.journal.count("POST", "/v1/access_token") == 1


@pytest.mark.check("B05")
async def test_a_fresh_token_that_is_refused_too_asks_for_a_sign_in(world: World) -> None:
    async with signed_in(world) as browser:
        world.emulator.faults.add("*", "/v1/people/me", REFUSED, times=2)
        answer = await browser.get("/api/webex/people/me")

    assert (answer.status_code, answer.json()["error"]) == (401, "ReauthRequired")


@pytest.mark.bound("request that is sent again")
async def test_a_body_too_long_to_be_kept_is_streamed_and_tried_again_by_the_caller(
    world: World,
) -> None:
    text = "x" * (REPLAYED_BYTES + 1)
    async with signed_in(world) as browser:
        world.emulator.faults.add("*", "/v1/messages", REFUSED)
        refused = await browser.post("/api/webex/messages", content=text.encode())
        again = await browser.post(
            "/api/webex/messages", json={"toPersonEmail": MIRA, "markdown": text}
        )

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert again.status_code == 400  # by Webex: it was read whole, and is too long for a message
    assert asked(world) == [("POST", "/v1/messages")] * 2


@pytest.mark.bound("request to the proxy")
@pytest.mark.parametrize("length", [str(MAX_UPLOAD_BYTES + 1), None], ids=["too long", "unstated"])
async def test_a_body_that_is_too_long_or_does_not_say_is_refused(
    world: World, length: str | None
) -> None:
    async with signed_in(world) as browser:
        headers = [] if length is None else [(b"content-length", length.encode())]
        status, _, body = await raw(
            browser, "/api/webex/messages", "POST", headers, bytes(REPLAYED_BYTES + 1)
        )

    assert (status, json.loads(body)["type"]) == (413, "urn:webex-oauth:body-too-large")
    assert asked(world) == []


@pytest.mark.check("D19")
@pytest.mark.parametrize("stated", [2 * PIECE_BYTES + 1, 2 * PIECE_BYTES + 99])
async def test_a_body_that_is_not_as_long_as_it_says_smuggles_nothing(
    world: World, stated: int
) -> None:
    smuggled = bytes(2 * PIECE_BYTES + 1) + b"GET /v1/rooms HTTP/1.1\r\n\r\n"
    headers = [(b"content-length", b"%d" % stated)]
    async with signed_in(world) as browser:
        with suppress(ClientDisconnect):  # unless Webex answers before that
            await raw(browser, "/api/webex/messages", "POST", headers, smuggled)
        assert (await browser.get("/api/webex/people/me")).json()["emails"] == [LUCA]

    assert ("GET", "/v1/rooms") not in asked(world)


async def test_an_answer_that_breaks_off_is_cut_short_visibly(world: World) -> None:
    async with signed_in(world, MIRA) as browser:
        world.emulator.faults.add("*", "/v1/rooms", Truncate(kept_bytes=100))
        with pytest.raises(ConnectionAbortedError):
            await raw(browser, "/api/webex/rooms")


async def test_a_browser_that_leaves_ends_the_call(world: World) -> None:
    left = 0

    async with signed_in(world, MIRA) as browser:
        world.emulator.faults.add("*", "/v1/rooms", Slow(piece_bytes=1, pause_seconds=0.05))

        def is_gone() -> bool:
            nonlocal left
            left += 1
            return left > 2

        _, pieces, _ = await raw(browser, "/api/webex/rooms", is_gone=is_gone)

    assert 1 <= pieces < 10


@pytest.mark.bound("calls of front ends under way")
async def test_calls_of_one_person_that_nobody_answers_are_bounded(world: World) -> None:
    async with signed_in(world) as browser:
        world.emulator.faults.add("GET", "/v1/rooms", Hang(), times=None)
        waiting = [
            asyncio.create_task(browser.get("/api/webex/rooms"))
            for _ in range(RELAYED_OF_ONE + WAITING_OF_ONE)
        ]
        await until_true(lambda: len(asked(world)) == RELAYED_OF_ONE)

        refused = await browser.get("/api/webex/rooms")

        assert (refused.status_code, refused.json()["error"]) == (503, "RequestNotSent")
        assert len(asked(world)) == RELAYED_OF_ONE
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize(
    "line", ["people/me", "get rooms", "GET /rooms", "GET rooms/", "HEAD rooms", "GET a/../b", ""]
)
async def test_a_line_that_allows_nothing_is_a_mistake(world: World, line: str) -> None:
    webex = WebexAuth(settings=world.settings)

    with pytest.raises(ValueError, match="not a method and a path"):
        webex.proxy([line])
    with pytest.raises(TypeError):
        webex.proxy("GET rooms")


async def raw(
    browser: Browser,
    raw_path: str,
    method: str = "GET",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
    is_gone: Callable[[], bool] = lambda: False,
) -> tuple[int, int, bytes]:
    """Send a request that no client would write; return status, count of pieces, and body."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    given = [(b"cookie", cookies.encode()), (b"x-webex-csrf", b"1"), *(headers or [])]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": given,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8080),
    }
    requests: list[Message] = [
        {"type": "http.request", "body": body[start : start + PIECE_BYTES], "more_body": True}
        for start in range(0, len(body), PIECE_BYTES)
    ]
    requests.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        if requests:
            return requests.pop(0)
        if not is_gone():
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    transport = browser._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app(scope, receive, send)
    pieces = [message["body"] for message in sent[1:]]
    return sent[0]["status"], len(pieces), b"".join(pieces)
