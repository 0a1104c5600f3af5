"""Requests that two servers could read differently are refused, and the connection is closed."""

import pytest
from edges.raw import exchange
from edges.stage import Stage

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: {host}\r\n\r\n"
AMBIGUOUS = {
    "length and coding": b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
    "the same length twice": b"content-length: 5\r\ncontent-length: 5\r\n\r\nabcde",
    "a list of lengths": b"content-length: 5, 6\r\n\r\nabcdef",
    "a signed length": b"content-length: +5\r\n\r\nabcde",
    "a negative length": b"content-length: -5\r\n\r\nabcde",
    "a hexadecimal length": b"content-length: 0x5\r\n\r\nabcde",
    "a length beyond counting": b"content-length: 99999999999999999999999\r\n\r\na",
    "an empty length": b"content-length:\r\n\r\n",
    "an unknown coding": b"transfer-encoding: cow\r\n\r\n",
    "chunked is not last": b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "another coding too": b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    "a disguised coding": b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"content-length : 5\r\n\r\nabcde",
    "a header without a name": b": 5\r\n\r\n",
    "a header without a colon": b"content-length\r\n\r\n",
    "a NUL in a header": b"x-a: a\x00b\r\n\r\n",
    "a bare CR in a header": b"x-a: a\rb: c\r\n\r\n",
    "a bad chunk size": b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a signed chunk size": b"transfer-encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk that is too long": b"transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "a chunk size beyond counting": b"transfer-encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
}
BAD_LINES = {
    "another version": b"GET / HTTP/9.9\r\n",
    "HTTP/2 without its preface": b"GET / HTTP/2.0\r\n",
    "a transfer coding in HTTP/1.0": b"POST /login HTTP/1.0\r\ntransfer-encoding: chunked\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\n",
    "two spaces and a target": b"GET / / HTTP/1.1\r\n",
    "no target": b"GET HTTP/1.1\r\n",
    "TLS on a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n",
}


@pytest.mark.check("D19")
@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_request_is_refused(name: str, stage: Stage) -> None:
    host = stage.signed_in.host.encode()
    head = b"POST /login HTTP/1.1\r\nhost: " + host + b"\r\n"

    answer = exchange(stage.scene.port, head + AMBIGUOUS[name], SMUGGLED.replace(b"{host}", host))

    assert answer.status == 400
    assert answer.answer_count == 1


@pytest.mark.check("D11", "D19")
@pytest.mark.parametrize("name", BAD_LINES)
def test_something_other_than_a_request_is_refused_and_closed(name: str, stage: Stage) -> None:
    host = stage.signed_in.host.encode()

    answer = exchange(stage.scene.port, BAD_LINES[name] + b"host: " + host + b"\r\n\r\n")

    assert answer.status in {400, 405, 421}
    assert b"content-security-policy: default-src 'none'" in answer.head
    assert b"uvicorn" not in answer.octets


@pytest.mark.check("D19")
def test_a_folded_header_smuggles_nothing(stage: Stage) -> None:
    host = stage.signed_in.host.encode()
    head = b"POST /login HTTP/1.1\r\nhost: " + host + b"\r\n"
    folded = b"x-a: b\r\n content-length: 70\r\n\r\n"
    following = b"GET /x HTTP/1.1\r\nconnection: close\r\n\r\n"

    answer = exchange(stage.scene.port, head + folded, following)

    assert answer.status in {303, 400}
    assert answer.answer_count in {1, 2}


@pytest.mark.check("D19", "D20")
def test_an_upgrade_is_not_taken(stage: Stage) -> None:
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}

    answer = stage.client().send("GET", "/", headers=upgrade)

    assert answer.status == 200
    assert not answer.all("upgrade")
