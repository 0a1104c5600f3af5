"""What Webex has and the emulator lacks is 501, with its name, whatever the token."""

import pytest
from emulator.wire import Wire

from webex_oauth.emulator import Emulator

HAD_BY_WEBEX = [
    ("GET", "/v1/people?email=a@b.example"),
    ("POST", "/v1/people"),
    ("PUT", "/v1/people/a"),
    ("POST", "/v1/rooms"),
    ("PUT", "/v1/rooms/a"),
    ("DELETE", "/v1/rooms/a"),
    ("GET", "/v1/rooms/a/meetingInfo"),
    ("GET", "/v1/messages?roomId=a"),
    ("POST", "/v1/messages"),
    ("GET", "/v1/messages/direct"),
    ("PUT", "/v1/messages/a"),
    ("DELETE", "/v1/messages/a"),
    ("GET", "/v1/memberships"),
    ("DELETE", "/v1/memberships/a"),
    ("GET", "/v1/teams"),
    ("PUT", "/v1/teams/a"),
    ("POST", "/v1/team/memberships"),
    ("POST", "/v1/webhooks"),
    ("PUT", "/v1/webhooks/a"),
    ("GET", "/v1/events"),
    ("POST", "/v1/attachment/actions"),
    ("GET", "/v1/attachment/actions/a"),
    ("GET", "/v1/contents/a"),
    ("GET", "/v1/room/tabs"),
    ("GET", "/v1/userinfo"),
    ("POST", "/v1/device/authorize"),
    ("POST", "/v1/device/token"),
    ("GET", "/v1/authorizations"),
    ("POST", "/v1/applications/a/token"),
    ("GET", "/v1/.well-known/openid-configuration"),
    ("GET", "/v1/organizations"),
    ("PATCH", "/v1/meetings/a"),
    ("GET", "/v1/telephony/config/people/a/features"),
    ("GET", "/idb/.well-known/openid-configuration"),
    ("GET", "/idb/oauth2/v2/keys/verificationjwk"),
]


@pytest.mark.parametrize(("method", "target"), HAD_BY_WEBEX)
def test_it_is_said_to_be_lacking_with_and_without_a_token(
    wire: Wire, token: str, method: str, target: str
) -> None:
    name = f"{method} {target.partition('?')[0]}"
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer bad"}):
        answer = wire.send(method, target, headers=headers)

        assert answer.status == 501
        assert answer.headers["Emulator-Lacks"] == name
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json["message"] == f"This emulator does not have {name} yet; Webex does."
        assert answer.json["trackingId"]


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/v1/messages"), ("PUT", "/v1/rooms"), ("POST", "/v1/events")]
)
def test_a_method_that_webex_has_not_either_is_405(wire: Wire, method: str, path: str) -> None:
    assert wire.send(method, path).status == 405


def test_the_front_page_lists_what_there_is(emulator: Emulator, wire: Wire) -> None:
    page = wire.get("/").text

    for line in ("GET /v1/rooms", "GET /v1/people/me", "POST /v1/access_token"):
        assert f"<code>{line}</code>" in page
    assert "<code>POST /idb/oauth2/v1/revoke</code>" in page
    assert "<code>POST /v1/rooms</code>" not in page
    assert emulator.broker_origin in page


@pytest.mark.parametrize("path", ["/_emulator", "/_emulator/", "/_emulator/clok"])
def test_an_unknown_path_of_the_control_api_is_told_with_those_there_are(
    wire: Wire, path: str
) -> None:
    answer = wire.get(path)

    assert answer.status == 404
    for name in ("clock", "faults", "journal", "options", "integrations", "reset"):
        assert name in answer.json["message"]
