"""Unknown paths, wrong methods, tracking ids, and bugs of our own."""

import pytest
from emulator.wire import Wire


@pytest.mark.parametrize("path", ["/authorize", "/v1/unknown", "/v1/rooms/", "//v1/rooms", "/v1"])
def test_an_unknown_path_is_401_without_a_token_and_404_with_one(
    wire: Wire, token: str, path: str
) -> None:
    without, with_token = wire.get(path), wire.get(path, token)

    assert without.status == 401
    assert with_token.status == 404
    assert with_token.json["message"] == "The requested resource could not be found."


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_405_with_the_right_ones(wire: Wire, method: str) -> None:
    answer = wire.send(method, "/v1/rooms")

    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json["trackingId"]


def test_every_answer_has_a_tracking_id(wire: Wire, token: str) -> None:
    answers = [wire.get("/"), wire.get("/v1/rooms", token), wire.get("/v1/rooms"), wire.get("/x")]

    assert all(one.headers["trackingid"].startswith("ROUTER_") for one in answers)


def test_a_tracking_id_of_the_client_comes_back(wire: Wire) -> None:
    answer = wire.get("/v1/rooms", TrackingID="SIMPLE_42")

    assert answer.headers["trackingid"] == "SIMPLE_42"
    assert answer.json["trackingId"] == "SIMPLE_42"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 121, "<b>"])
def test_a_strange_tracking_id_is_replaced(wire: Wire, sent: str) -> None:
    assert wire.get("/v1/rooms", TrackingID=sent).headers["trackingid"].startswith("ROUTER_")


def test_a_head_request_mirrors_a_get(wire: Wire, token: str) -> None:
    answer = wire.send("HEAD", "/v1/people/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.body) == (200, b"")
