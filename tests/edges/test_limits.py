"""What a request may hold: everything up to the limit, nothing beyond it."""

import socket
from collections.abc import Callable

import pytest
from edges.client import FORM
from edges.raw import RawAnswer, exchange
from edges.stage import Stage
from waiting import LIMIT_SECONDS

from webex_oauth.web.connection import MAX_HEAD_BYTES
from webex_oauth.web.frame import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_TARGET_BYTES
from webex_oauth.web.visit import MAX_FORM_FIELDS

pytestmark = pytest.mark.check("D18")

CLOSE = ("connection", "close")


def request(
    stage: Stage, line: str, *headers: tuple[str, str], body: bytes = b"", own_host: bool = True
) -> RawAnswer:
    """Send one request with *headers* after the host."""
    own = [("host", stage.signed_in.host)] if own_host else []
    lines = [f"{line} HTTP/1.1", *(f"{k}: {v}" for k, v in [*own, *headers, CLOSE])]
    return exchange(stage.scene.port, "\r\n".join([*lines, "", ""]).encode() + body)


def target(stage: Stage, excess: int) -> RawAnswer:
    """Send a target that has *excess* bytes more than it may."""
    return request(stage, f"GET /?{'a' * (MAX_TARGET_BYTES - len('/') + excess)}")


def filler(stage: Stage, spare_bytes: int) -> tuple[str, str]:
    """Return a header with which all headers have MAX_HEADER_BYTES less *spare_bytes*."""
    others = len("host" + stage.signed_in.host + "".join(CLOSE) + "x-filler")
    return "x-filler", "a" * (MAX_HEADER_BYTES - others - spare_bytes)


def headers(stage: Stage, excess: int) -> RawAnswer:
    return request(stage, "GET /", filler(stage, -excess))


def form(stage: Stage, body: bytes, kind: str = FORM) -> RawAnswer:
    """Send a form with its length."""
    length = ("content-length", str(len(body)))
    return request(stage, "POST /login", ("content-type", kind), length, body=body)


def body(stage: Stage, excess: int) -> RawAnswer:
    return form(stage, b"a" * (MAX_BODY_BYTES + excess))


def chunked_body(stage: Stage, excess: int) -> RawAnswer:
    """Send a form in chunks of 1,000 bytes."""
    size_bytes = MAX_BODY_BYTES + excess
    sizes = [1000] * (size_bytes // 1000) + [size_bytes % 1000]
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, b"a" * size) for size in sizes if size)
    kind, coding = ("content-type", FORM), ("transfer-encoding", "chunked")
    return request(stage, "POST /login", kind, coding, body=chunks + b"0\r\n\r\n")


def fields(stage: Stage, excess: int) -> RawAnswer:
    return form(stage, b"&".join([b"a=b"] * (MAX_FORM_FIELDS + excess)))


@pytest.mark.parametrize(
    ("send", "taken", "refused"),
    [
        pytest.param(target, 200, 414, marks=pytest.mark.bound("target of a request")),
        pytest.param(headers, 200, 431, marks=pytest.mark.bound("header of a request")),
        pytest.param(body, 303, 413, marks=pytest.mark.bound("body of a request")),
        pytest.param(chunked_body, 303, 413, marks=pytest.mark.bound("body of a request")),
        pytest.param(fields, 303, 400, marks=pytest.mark.bound("fields of a form")),
    ],
)
def test_what_is_within_a_limit_is_taken_and_one_more_is_refused(
    send: Callable[[Stage, int], RawAnswer], taken: int, refused: int, stage: Stage
) -> None:
    assert [send(stage, excess).status for excess in (0, 1)] == [taken, refused]


def test_a_health_check_has_the_same_limits(stage: Stage) -> None:
    big = "x-filler", "a" * MAX_HEADER_BYTES

    answer = request(stage, "GET /healthz", ("host", "10.0.0.1"), big, own_host=False)

    assert answer.status == 431


def test_a_body_that_is_announced_too_large_is_not_waited_for(stage: Stage) -> None:
    announced = ("content-length", "10000000000")

    answer = request(stage, "POST /login", ("content-type", FORM), announced, body=b"a=b")

    assert answer.status == 413


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=x; charset=undefined",
        "multipart/form-data; boundary=x; charset=punycode",
        "multipart/form-data; boundary=" + "x" * 500,
        "application/json",
        "text/plain",
        "\xff",
    ],
)
def test_another_kind_of_form_is_refused_unread(kind: str, stage: Stage) -> None:
    part = b'content-disposition: form-data; name="a"; filename="b"\r\n\r\n'

    assert form(stage, b"--x\r\n" + part + b"\x80\r\n--x--\r\n", kind).status == 415


@pytest.mark.parametrize(
    ("parameter", "octets"),
    [
        ("", b"%zz=%"),
        ("", b"\xff\xfe=\x00"),
        ("; charset=nonsense", b"a=\xff"),
        ("; charset=undefined", b"a=\xff"),
        (";;=", b"a=b"),
    ],
)
def test_a_form_that_cannot_be_decoded_breaks_nothing(
    parameter: str, octets: bytes, stage: Stage
) -> None:
    assert form(stage, octets, FORM + parameter).status in {303, 400}


@pytest.mark.check("D16", "D19")
def test_a_trailer_is_not_a_header(stage: Stage) -> None:
    name = stage.scene.session_cookie
    cookie = stage.signed_in.cookies[name]
    trailer = f"0\r\ncookie: {name}={cookie}\r\nhost: evil.example\r\n\r\n"
    coding = ("transfer-encoding", "chunked")

    answer = request(stage, "GET /listrooms", coding, body=trailer.encode())

    assert answer.status == 401


@pytest.mark.parametrize("piece", [b"x-a: b\r\n" * 100, b"a" * 1000], ids=["many", "endless"])
def test_trailers_without_end_are_cut(piece: bytes, stage: Stage) -> None:
    lines = "POST /login HTTP/1.1", f"host: {stage.signed_in.host}", f"content-type: {FORM}"
    head = "\r\n".join([*lines, "transfer-encoding: chunked", "", "0", "x: "]).encode()

    with pytest.raises(ConnectionError):
        pour(stage, head, [piece] * (40 * MAX_HEAD_BYTES // len(piece)))


def pour(stage: Stage, head: bytes, pieces: list[bytes]) -> None:
    """Send everything, whatever the server says; raises ConnectionError if it hung up."""
    with socket.create_connection(("127.0.0.1", stage.scene.port), LIMIT_SECONDS) as connection:
        connection.sendall(head)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) != b""


@pytest.mark.check("A11")
def test_a_callback_has_a_limit_of_parameters(stage: Stage) -> None:
    query = "&".join(f"a{number}=1" for number in range(1000))

    assert request(stage, f"GET /oauth?state=a&code=b&{query}").status == 400


@pytest.mark.bound("octets around a body")
@pytest.mark.parametrize(
    ("start", "piece", "statuses"),
    [
        ("GET / HTTP/1.1\r\nhost: {host}\r\nx-endless: ", b"a" * 1000, {431}),
        ("GET / HTTP/1.1\r\nhost: {host}\r\n", b"x-a: b\r\n" * 100, {431}),
        ("GET /", b"a" * 1000, {414, 431}),
    ],
    ids=["a header without end", "headers without number", "a target without end"],
)
def test_a_head_without_end_is_cut(
    start: str, piece: bytes, statuses: set[int], stage: Stage
) -> None:
    head = start.format(host=stage.signed_in.host).encode()

    answer = exchange(stage.scene.port, head, *[piece] * (MAX_HEAD_BYTES // len(piece) + 2))

    assert answer.status in statuses
    assert b"content-security-policy: default-src 'none'" in answer.head
    assert int(answer.head.partition(b"content-length: ")[2].split()[0]) == len(answer.body)


def test_each_request_of_a_connection_has_the_whole_limit(stage: Stage) -> None:
    name, value = filler(stage, len("close"))
    head = f"GET / HTTP/1.1\r\nhost: {stage.signed_in.host}\r\n{name}: {value}\r\n"
    asked = [head.encode() + b"\r\n"] * 3 + [head.encode() + b"connection: close\r\n\r\n"]

    assert exchange(stage.scene.port, *asked).answer_count == len(asked)


def test_deep_nesting_in_a_parameter_is_only_text(stage: Stage) -> None:
    assert request(stage, f"GET /?filter={'[' * 5000}").status == 200
