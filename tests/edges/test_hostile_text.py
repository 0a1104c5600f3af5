"""Text from outside stays text: it is never evaluated, and never becomes a header."""

import logging

import pytest
from edges.client import Answer
from edges.raw import exchange
from edges.stage import Stage

TEMPLATES = (
    "{{7919*7927}}",
    "${7919*7927}",
    "{%print(7919*7927)%}",
    "#{7919*7927}",
    "<%= 7919*7927 %>",
    "%(levelname)s",
    "%s%s%n",
    "%d",
    "{0}",
    "{self}",
    "{0.__class__}",
    "{{config}}",
    "{{''.__class__.__mro__}}",
    "$7919*7927",
)
INJECTIONS = (
    "/\r\nx-injected: yes",
    "/\nx-injected: yes",
    "/\rx-injected: yes",
    "/%0d%0ax-injected:%20yes",
    "/%0D%0A%20x-injected:%20yes",
    "/\r\n\r\n<script>",
    "/\x00x-injected: yes",
    "/\u2028x-injected: yes",
    "/\u560d\u560ax-injected: yes",
    "/\x0bx-injected: yes",
    "/\x85x-injected: yes",
)


def encoded(text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())


def has_injection(answer: Answer) -> bool:
    return any(name == "x-injected" or "\n" in value for name, value in answer.headers)


@pytest.mark.check("E09")
@pytest.mark.parametrize("text", TEMPLATES)
@pytest.mark.parametrize(
    "target",
    [
        "/oauth?error=access_denied&error_description={0}&state=unknown",
        "/oauth?error={0}&state=unknown",
        "/listrooms?filter={0}",
        "/{0}",
        "/login?return_to={0}",
    ],
)
def test_a_template_in_a_request_is_not_evaluated(text: str, target: str, stage: Stage) -> None:
    answer = stage.signed_in.get(target.format(encoded(text)))

    assert answer.status < 500
    assert str(7919 * 7927) not in answer.text
    assert "<class" not in answer.text
    assert "object at 0x" not in answer.text


@pytest.mark.check("E09")
@pytest.mark.parametrize("text", TEMPLATES)
def test_no_log_message_is_made_of_what_came_in(
    text: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="webex_oauth"):
        stage.client().get(f"/oauth?error={encoded(text)}&state={encoded(text)}")
        stage.client().get(f"/{encoded(text)}", user_agent=text)

    own = [record for record in caplog.records if record.name.startswith("webex_oauth")]
    assert own
    assert not [record for record in own if text in record.msg]
    assert all(record.getMessage().isprintable() for record in own)


@pytest.mark.check("A13", "E11")
@pytest.mark.parametrize("text", INJECTIONS)
def test_a_place_to_return_to_adds_no_header_and_leads_home(text: str, stage: Stage) -> None:
    client = stage.client()

    by_link = client.get(f"/login?return_to={encoded(text)}")
    started = client.post("/login", {"return_to": text})
    signed_in = client.sign_in(return_to=text)

    assert [one.status for one in (by_link, started, signed_in)] == [303, 303, 303]
    assert signed_in.one("location") == "/"
    assert not any(map(has_injection, (by_link, started, signed_in)))


@pytest.mark.check("E11")
@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_in_a_query_adds_a_header(text: str, stage: Stage) -> None:
    for path in ("/", "/listrooms", "/oauth", "/logout", "/nothing"):
        target = f"{path}?state={encoded(text)}&code={encoded(text)}&filter={encoded(text)}"

        answer = stage.signed_in.get(target)

        assert answer.status < 500
        assert not has_injection(answer)


@pytest.mark.check("E11")
@pytest.mark.parametrize(
    "cookie", ["\t", "a=\x01", '"', "=", ";;;", "webex_oauth_attempt_=;", "a=b\x7f"]
)
def test_a_strange_cookie_breaks_nothing(cookie: str, stage: Stage) -> None:
    session = "; ".join(f"{name}={value}" for name, value in stage.signed_in.cookies.items())
    head = f"GET /listrooms HTTP/1.1\r\nhost: {stage.signed_in.host}\r\n"
    line = f"cookie: {cookie}; {session}\r\nconnection: close\r\n\r\n"

    answer = exchange(stage.scene.port, (head + line).encode("latin-1"))

    assert answer.status in {200, 400, 401}
