"""What is not here: what the emulator lacks of Webex is 501 with its name, the rest is 404."""

import pytest
from emulator.wire import Wire

LACKING = (
    "POST /v1/people", "PUT /v1/people/a", "POST /v1/rooms", "DELETE /v1/rooms/a",
    "GET /v1/rooms/a/meetingInfo", "POST /v1/memberships", "GET /v1/teams",
    "PUT /v1/messages/a", "DELETE /v1/memberships/a", "PUT /v1/teams/a",
    "PUT /v1/messages/%F0%9F%98%80%0D%0AX", "GET /v1/teams/%00",
    "POST /v1/team/memberships", "POST /v1/webhooks", "GET /v1/events",
    "POST /v1/attachment/actions", "GET /v1/attachment/actions/a", "GET /v1/contents/a",
    "GET /v1/room/tabs", "GET /v1/userinfo", "GET /v1/authorizations",
    "POST /v1/applications/a/token", "GET /v1/.well-known/openid-configuration",
    "GET /v1/organizations", "GET /v1/hotdesk/a", "GET /v1/hybrid/clusters",
    "GET /v1/meetingClosedCaptions", "PATCH /v1/meetings/a",
    "GET /v1/telephony/config/people/a/features",
    "GET /idb/.well-known/openid-configuration", "GET /idb/oauth2/v2/keys/verificationjwk",
)  # fmt: skip


@pytest.mark.parametrize("lacking", LACKING)
def test_what_is_lacking_is_501_with_its_name_whatever_the_token(
    wire: Wire, token: str, lacking: str
) -> None:
    method, _, target = lacking.partition(" ")
    name = f"{method} {target.partition('?')[0]}"
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer bad"}):
        answer = wire.send(method, target, headers=headers)

        assert answer.status == 501
        assert answer.headers["Emulator-Lacks"] == name
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json["message"] == f"This emulator does not have {name} yet; Webex does."
        assert answer.json["trackingId"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/rooms", "GET"),
        ("DELETE", "/v1/rooms", "GET"),
        ("PATCH", "/v1/messages", "GET"),
        ("POST", "/v1/events", "GET"),
        ("GET", "/v1/access_token", "POST"),
    ],
)
def test_a_method_that_webex_does_not_have_either_is_405_with_the_right_ones(
    wire: Wire, method: str, path: str, allowed: str
) -> None:
    answer = wire.send(method, path)

    assert answer.status == 405
    assert allowed in answer.headers["Allow"]
    assert answer.json["trackingId"]


@pytest.mark.parametrize("path", ["/authorize", "/v1/unknown", "/v1/rooms/", "//v1/rooms", "/v1"])
def test_an_unknown_path_is_401_without_a_token_and_404_with_one(
    wire: Wire, token: str, path: str
) -> None:
    without, with_token = wire.get(path), wire.get(path, token)

    assert (without.status, with_token.status) == (401, 404)
    assert with_token.json["message"] == "The requested resource could not be found."


@pytest.mark.parametrize("path", ["/_emulator", "/_emulator/clok"])
def test_an_unknown_path_of_the_control_api_is_404_with_a_list_of_the_known_ones(
    wire: Wire, path: str
) -> None:
    answer = wire.get(path)

    assert answer.status == 404
    for name in ("clock", "faults", "journal", "options", "integrations", "reset"):
        assert name in answer.json["message"]


def test_every_answer_has_a_tracking_id_and_keeps_one_of_the_client(wire: Wire, token: str) -> None:
    answers = [wire.get("/"), wire.get("/v1/rooms", token), wire.get("/v1/rooms"), wire.get("/x")]
    kept = wire.get("/v1/rooms", TrackingID="SIMPLE_42")

    assert all(one.headers["trackingid"].startswith("ROUTER_") for one in answers)
    assert kept.headers["trackingid"] == kept.json["trackingId"] == "SIMPLE_42"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 121, "<b>"])
def test_a_strange_tracking_id_is_replaced(wire: Wire, sent: str) -> None:
    assert wire.get("/v1/rooms", TrackingID=sent).headers["trackingid"].startswith("ROUTER_")


def test_a_head_request_mirrors_a_get(wire: Wire, token: str) -> None:
    answer = wire.send("HEAD", "/v1/people/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.body) == (200, b"")
