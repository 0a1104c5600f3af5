"""The device grant's pauses and ends, by a clock that only waiting moves (RFC 8628 section 3.5)."""

import pytest
from msgspec.structs import replace
from unit.flows.fixtures import (
    NOW,
    PERSON_URL,
    PLATFORM,
    REVOCATION_URL,
    FlowFixture,
    Line,
    answer,
    issued,
)

from webex_oauth.errors import (
    AccessTokenRefused,
    AnswerLost,
    AuthorizationRefused,
    DeadlineExceeded,
    InvalidGrant,
    InvalidResponse,
    SignInTimedOut,
    WebexOAuthError,
)
from webex_oauth.oauth.http import HttpResponse

pytestmark = [pytest.mark.anyio, pytest.mark.check("C01")]

DEVICE_URL = str(PLATFORM.server.device_authorization_endpoint)
QUESTION_URL = str(PLATFORM.server.device_token_endpoint)
CODES = {
    "device_code": "2f6d1c84-77b3-4a0e-9a1c-5b0e7d3f9a60",
    "user_code": "402817",
    "verification_uri": "http://localhost:8091/verify",
    "verification_uri_complete": "http://localhost:8091/verify?userCode=9d1f",
    "expires_in": 300,
    "interval": 2,
}
NOT_YET = answer({"message": "authorization_pending"}, 428)
NOT_YET_EITHER = answer({"error": "authorization_pending"}, 400)
UNREADABLE = HttpResponse(428, {"content-type": "text/html"}, b"<h1>428</h1>")
TOO_FAST = answer({"message": "slow_down"}, 400)


class Device:
    """A device that signs in; its sleep moves the clock of the flow."""

    def __init__(self, *lines: Line, **codes: object) -> None:
        self.flow = FlowFixture()
        self.asked_at: list[int] = []
        self.flow.webex.script(DEVICE_URL, answer(CODES | codes))
        self.flow.webex.script(QUESTION_URL, *lines)
        self.sign_in = replace(self.flow.sign_in.device, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.flow.now += int(seconds)
        self.asked_at.append(self.flow.now - NOW)

    async def run(self) -> bytes:
        return await self.sign_in.complete(await self.sign_in.begin())


@pytest.mark.parametrize(
    ("lines", "asked_at"),
    [
        ([issued()], [2]),
        ([NOT_YET, NOT_YET, issued()], [2, 4, 6]),
        ([NOT_YET_EITHER, issued()], [2, 4]),
        ([TOO_FAST, NOT_YET, NOT_YET, issued()], [2, 9, 16, 23]),
        ([TOO_FAST, TOO_FAST, issued()], [2, 9, 21]),
        ([AnswerLost("x"), NOT_YET, issued()], [2, 6, 8]),
        ([*[AnswerLost("x")] * 6, NOT_YET, issued()], [2, 6, 14, 30, 62, 122, 182, 184]),
        ([DeadlineExceeded("x"), DeadlineExceeded("x"), issued()], [2, 6, 14]),
        ([UNREADABLE, issued()], [2, 6]),
        ([answer({}, 503), issued()], [2, 6]),
        ([answer({}, 429, **{"retry-after": "30"}), NOT_YET, issued()], [2, 32, 34]),
    ],
    ids=[
        "at once", "428", "400", "slower for good", "slower twice",
        "lost", "network away", "time-outs", "HTML", "503", "429",
    ],
)  # fmt: skip
async def test_a_device_asks_at_the_interval_and_less_often_in_trouble(
    lines: list[Line], asked_at: list[int]
) -> None:
    device = Device(*lines)

    key = await device.run()

    assert device.asked_at == asked_at
    found = await device.flow.ledger.find_grant(key)
    assert found
    assert found.record.profile.display_name == "Alice"
    assert found.record.is_held


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (answer({"message": "access_denied"}, 400), AuthorizationRefused),
        (answer({"message": "expired_token"}, 400), SignInTimedOut),
        (answer({"error": "invalid_grant"}, 400), InvalidGrant),
    ],
)
async def test_a_refusal_ends_the_questions(line: Line, kind: type[WebexOAuthError]) -> None:
    device = Device(NOT_YET, line)

    with pytest.raises(kind):
        await device.run()

    assert device.asked_at == [2, 4]


async def test_trouble_brings_no_question_before_the_interval() -> None:
    device = Device(TOO_FAST, AnswerLost("x"), issued(), interval=60)

    await device.run()

    assert device.asked_at == [60, 125, 190]


async def test_nobody_is_asked_for_once_the_code_has_expired() -> None:
    device = Device(NOT_YET, expires_in=7)

    with pytest.raises(SignInTimedOut, match="expired"):
        await device.run()

    assert device.asked_at == [2, 4, 6, 7]
    assert len(device.flow.webex.forms(QUESTION_URL)) == 3


async def test_a_device_asks_for_the_scopes_of_the_settings_and_more() -> None:
    device = Device(issued())

    await device.sign_in.begin(["spark:rooms_write", "spark:rooms_read"])

    [form] = device.flow.webex.forms(DEVICE_URL)
    assert form == {
        "client_id": "client-id",
        "scope": "spark:people_read spark:rooms_read spark:rooms_write",
    }


async def test_tokens_that_cannot_be_kept_are_given_back() -> None:
    device = Device(issued())
    device.flow.webex.script(PERSON_URL, answer({"message": "no"}, 401))

    with pytest.raises(AccessTokenRefused):
        await device.run()

    assert device.flow.webex.forms(REVOCATION_URL)


@pytest.mark.check("C02")
@pytest.mark.parametrize("name", ["verification_uri", "verification_uri_complete"])
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://evil.example/verify", "file:///etc/passwd"]
)
async def test_nobody_is_sent_to_a_place_that_is_not_webexs(name: str, url: str) -> None:
    device = Device(issued(), **{name: url})

    with pytest.raises(InvalidResponse, match="cannot be sent to"):
        await device.sign_in.begin()
