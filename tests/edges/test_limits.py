"""What a request may hold: everything up to the limit, nothing beyond it."""

import socket

import pytest
from edges.client import FORM
from edges.raw import RawAnswer, exchange
from edges.stage import Stage
from waiting import LIMIT_SECONDS

from webex_oauth.web.connection import MAX_HEAD_BYTES
from webex_oauth.web.frame import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_TARGET_BYTES
from webex_oauth.web.visit import MAX_FORM_FIELDS

CLOSE = ("connection", "close")


def request(
    stage: Stage, line: str, *headers: tuple[str, str], body: bytes = b"", own_host: bool = True
) -> RawAnswer:
    """Send one request; what stands in *headers* comes after the host."""
    own = [("host", stage.signed_in.host)] if own_host else []
    lines = [f"{line} HTTP/1.1", *(f"{k}: {v}" for k, v in [*own, *headers, CLOSE])]
    return exchange(stage.scene.port, "\r\n".join([*lines, "", ""]).encode() + body)


def filler(stage: Stage, spare_bytes: int) -> tuple[str, str]:
    """Make a header with which all headers have MAX_HEADER_BYTES less *spare_bytes*."""
    others = len("host" + stage.signed_in.host + "".join(CLOSE) + "x-filler")
    return "x-filler", "a" * (MAX_HEADER_BYTES - others - spare_bytes)


def form(stage: Stage, body: bytes) -> RawAnswer:
    """Send a form with its length."""
    length = ("content-length", str(len(body)))
    return request(stage, "POST /login", ("content-type", FORM), length, body=body)


def chunked_form(stage: Stage, size_bytes: int) -> RawAnswer:
    """Send a form in chunks of 1,000 bytes."""
    sizes = [1000] * (size_bytes // 1000) + [size_bytes % 1000]
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, b"a" * size) for size in sizes if size)
    coding = ("transfer-encoding", "chunked")
    body = chunks + b"0\r\n\r\n"
    return request(stage, "POST /login", ("content-type", FORM), coding, body=body)


@pytest.mark.bound("target of a request")
@pytest.mark.check("D18")
@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 414)])
def test_a_target_has_a_limit(excess: int, status: int, stage: Stage) -> None:
    query = "a" * (MAX_TARGET_BYTES - len("/") + excess)

    assert request(stage, f"GET /?{query}").status == status


@pytest.mark.bound("header of a request")
@pytest.mark.check("D18")
@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 431)])
def test_headers_have_a_limit(spare: int, status: int, stage: Stage) -> None:
    assert request(stage, "GET /", filler(stage, spare)).status == status


@pytest.mark.check("D18")
def test_a_health_check_has_the_same_limits(stage: Stage) -> None:
    big = "x-filler", "a" * MAX_HEADER_BYTES

    answer = request(stage, "GET /healthz", ("host", "10.0.0.1"), big, own_host=False)

    assert answer.status == 431


@pytest.mark.bound("body of a request")
@pytest.mark.check("D18")
@pytest.mark.parametrize(("excess", "status"), [(0, 303), (1, 413)])
def test_a_body_has_a_limit(excess: int, status: int, stage: Stage) -> None:
    assert form(stage, b"a" * (MAX_BODY_BYTES + excess)).status == status


@pytest.mark.bound("body of a request")
@pytest.mark.check("D18")
@pytest.mark.parametrize(("excess", "status"), [(0, 303), (1, 413)])
def test_a_body_in_chunks_has_the_same_limit(excess: int, status: int, stage: Stage) -> None:
    assert chunked_form(stage, MAX_BODY_BYTES + excess).status == status


@pytest.mark.check("D18")
def test_a_body_that_is_announced_too_large_is_not_waited_for(stage: Stage) -> None:
    announced = ("content-length", "10000000000")

    answer = request(stage, "POST /login", ("content-type", FORM), announced, body=b"a=b")

    assert answer.status == 413


@pytest.mark.bound("fields of a form")
@pytest.mark.check("D18")
@pytest.mark.parametrize(("excess", "status"), [(0, 303), (1, 400)])
def test_a_form_has_a_limit_of_fields(excess: int, status: int, stage: Stage) -> None:
    assert form(stage, b"&".join([b"a=b"] * (MAX_FORM_FIELDS + excess))).status == status


@pytest.mark.check("D18")
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
    part = 'content-disposition: form-data; name="a"; filename="b"\r\n\r\n'
    body = b"--x\r\n" + part.encode() + b"\x80\r\n--x--\r\n"
    headers = ("content-type", kind), ("content-length", str(len(body)))

    assert request(stage, "POST /login", *headers, body=body).status == 415


@pytest.mark.check("D18")
@pytest.mark.parametrize(
    ("parameter", "body"),
    [
        ("", b"%zz=%"),
        ("", b"\xff\xfe=\x00"),
        ("; charset=nonsense", b"a=\xff"),
        ("; charset=undefined", b"a=\xff"),
        (";;=", b"a=b"),
    ],
)
def test_a_form_that_is_none_breaks_nothing(parameter: str, body: bytes, stage: Stage) -> None:
    headers = ("content-type", FORM + parameter), ("content-length", str(len(body)))

    assert request(stage, "POST /login", *headers, body=body).status in {303, 400}


@pytest.mark.check("D16", "D19")
def test_a_trailer_is_no_header(stage: Stage) -> None:
    name = stage.scene.session_cookie
    cookie = stage.signed_in.cookies[name]
    trailer = f"0\r\ncookie: {name}={cookie}\r\nhost: evil.example\r\n\r\n"
    coding = ("transfer-encoding", "chunked")

    answer = request(stage, "GET /listrooms", coding, body=trailer.encode())

    assert answer.status == 401


@pytest.mark.check("D18")
@pytest.mark.parametrize("piece", [b"x-a: b\r\n" * 100, b"a" * 1000], ids=["many", "endless"])
def test_trailers_without_end_are_cut(piece: bytes, stage: Stage) -> None:
    lines = "POST /login HTTP/1.1", f"host: {stage.signed_in.host}", f"content-type: {FORM}"
    head = "\r\n".join([*lines, "transfer-encoding: chunked", "", "0", "x: "]).encode()
    size_bytes = 40 * MAX_HEAD_BYTES

    with pytest.raises(ConnectionError):
        pour(stage, head, [piece] * (size_bytes // len(piece)))


def pour(stage: Stage, head: bytes, pieces: list[bytes]) -> None:
    """Send everything, whatever the server says meanwhile; ConnectionError when it hung up."""
    with socket.create_connection(("127.0.0.1", stage.scene.port), LIMIT_SECONDS) as connection:
        connection.sendall(head)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) != b""


@pytest.mark.check("A11", "D18")
def test_a_callback_has_a_limit_of_parameters(stage: Stage) -> None:
    query = "&".join(f"a{number}=1" for number in range(1000))

    assert request(stage, f"GET /oauth?state=a&code=b&{query}").status == 400


@pytest.mark.check("D18")
def test_a_header_that_never_ends_is_cut(stage: Stage) -> None:
    head = f"GET / HTTP/1.1\r\nhost: {stage.signed_in.host}\r\nx-endless: ".encode()

    answer = exchange(stage.scene.port, head, *[b"a" * 1000] * (MAX_HEAD_BYTES // 1000 + 2))

    assert answer.status == 431
    assert b"content-security-policy: default-src 'none'" in answer.head
    assert int(answer.head.partition(b"content-length: ")[2].split()[0]) == len(answer.body)


@pytest.mark.bound("octets around a body")
@pytest.mark.check("D18")
def test_headers_without_number_are_cut(stage: Stage) -> None:
    head = f"GET / HTTP/1.1\r\nhost: {stage.signed_in.host}\r\n".encode()

    answer = exchange(stage.scene.port, head, *[b"x-a: b\r\n" * 100] * 60)

    assert answer.status == 431


@pytest.mark.check("D18")
def test_a_target_that_never_ends_is_cut(stage: Stage) -> None:
    answer = exchange(stage.scene.port, b"GET /", *[b"a" * 1000] * (MAX_HEAD_BYTES // 1000 + 2))

    assert answer.status in {414, 431}


@pytest.mark.check("D18")
def test_each_request_of_a_connection_has_the_whole_limit(stage: Stage) -> None:
    name, value = filler(stage, len("close"))
    head = f"GET / HTTP/1.1\r\nhost: {stage.signed_in.host}\r\n{name}: {value}\r\n"
    asked = [head.encode() + b"\r\n"] * 3 + [head.encode() + b"connection: close\r\n\r\n"]

    assert exchange(stage.scene.port, *asked).answer_count == len(asked)


@pytest.mark.check("D18")
def test_deep_nesting_in_a_parameter_is_only_text(stage: Stage) -> None:
    assert request(stage, f"GET /?filter={'[' * 5000}").status == 200
