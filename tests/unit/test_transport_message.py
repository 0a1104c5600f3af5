"""A request as bytes: each part stays in its place, or the request is not sent."""

import pytest

from webex_oauth.errors import RequestNotSent
from webex_oauth.oauth.http import HttpRequest
from webex_oauth.transport.connection import Origin, write_request

STANDING = b"user-agent: webex-oauth\r\naccept-encoding: identity\r\n"


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://webexapis.com/v1", Origin("webexapis.com", 443, is_tls=True), b"webexapis.com"),
        ("http://localhost/v1", Origin("localhost", 80, is_tls=False), b"localhost"),
        ("http://[::1]:8090/v1", Origin("::1", 8090, is_tls=False), b"[::1]:8090"),
        ("https://a.example:65535/v1", Origin("a.example", 65535, is_tls=True), b"a.example:65535"),
    ],
)
def test_a_request_goes_to_its_urls_origin(url: str, origin: Origin, host: bytes) -> None:
    sent_to, message = write_request(HttpRequest("GET", url, {"accept": "*/*"}))

    assert sent_to == origin
    assert message == b"GET /v1 HTTP/1.1\r\nhost: " + host + b"\r\n" + STANDING + (
        b"accept: */*\r\n\r\n"
    )


@pytest.mark.parametrize(("body", "length"), [(b"", b"0"), (b"a=b", b"3")])
def test_a_form_states_its_length_even_when_it_is_empty(body: bytes, length: bytes) -> None:
    _, message = write_request(HttpRequest("POST", "https://webexapis.com/v1", {}, body))

    assert message.endswith(b"\r\ncontent-length: " + length + b"\r\n\r\n" + body)


@pytest.mark.parametrize("method", ["", "get", "GET ", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET", "GÉT"])
def test_a_method_that_could_change_the_request_is_not_sent(method: str) -> None:
    with pytest.raises(RequestNotSent):
        write_request(HttpRequest(method, "https://webexapis.com/v1", {}))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/v1",
        "ftp://webexapis.com/v1",
        "https:///v1",
        "https://:443/v1",
        "https://webexapis.com",
        "https://webexapis.com:65536/v1",
        "https://webexapis.com:port/v1",
        "https://me@webexapis.com/v1",
        "https://webexapis.com/a b",
        "https://webexapis.com/v1\r\nx: y",
        "https://webexapis.com/v1#fragment",
        "https://[::1/v1",
    ],
)
def test_a_url_that_names_no_server_and_path_is_not_sent(url: str) -> None:
    with pytest.raises(RequestNotSent):
        write_request(HttpRequest("GET", url, {}))
