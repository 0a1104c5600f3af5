"""The application answers at one address, and believes no header about any other."""

import pytest
from edges.raw import RawAnswer, exchange
from edges.stage import Stage

from webex_oauth.settings.pages import PROBES

EVIL = "evil.example"
FORWARDED = (
    ("x-forwarded-host", EVIL),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-port", "444"),
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-prefix", "/evil.example"),
    ("x-forwarded-uri", "/healthz"),
    ("x-original-url", "/healthz"),
    ("x-rewrite-url", "/healthz"),
    ("x-http-method-override", "POST"),
    ("forwarded", f"host={EVIL};proto=https"),
    ("x_forwarded_host", EVIL),
    ("x-real-ip", "203.0.113.9"),
    ("x-forwarded-server", EVIL),
    ("x-original-host", EVIL),
    ("x-host", EVIL),
    ("user-agent", "kube-probe/1.29"),
    ("user-agent", "ELB-HealthChecker/2.0"),
)
WRONG_HOSTS = (
    EVIL,
    f"localhost.{EVIL}",
    f"{EVIL}@localhost",
    "localhost",
    "localhost:1",
    "localhost:99999999",
    "127.0.0.1",
    "[",
    "[::1",
    "]",
    "a:b:c",
    "%6cocalhost",
    "localhost\\.evil.example",
    "LOCALHOST.",
    "",
)


def ask(stage: Stage, *host_lines: str, target: str = "/", extra: str = "") -> RawAnswer:
    lines = "".join(f"host: {host}\r\n" for host in host_lines)
    cookie = "; ".join(f"{name}={value}" for name, value in stage.signed_in.cookies.items())
    head = f"GET {target} HTTP/1.1\r\n{lines}cookie: {cookie}\r\n{extra}connection: close\r\n\r\n"
    return exchange(stage.scene.port, head.encode())


@pytest.mark.check("D16")
@pytest.mark.parametrize("host", WRONG_HOSTS)
def test_another_host_is_refused_and_told_nothing_of_the_person(host: str, stage: Stage) -> None:
    answer = ask(stage, host)

    assert answer.status in {400, 421}
    assert b"Mira" not in answer.body
    assert b"csrf_token" not in answer.body
    assert EVIL.encode() not in answer.octets


@pytest.mark.check("A12", "D16")
def test_no_page_begins_anything_for_another_host_and_each_names_the_right_one(
    stage: Stage,
) -> None:
    for path in stage.scene.pages.keys() - PROBES:
        answer = ask(stage, EVIL, target=path)

        assert answer.status == 421
        assert f'href="{stage.scene.origin}/"'.encode() in answer.body
        assert b"\r\nlocation:" not in answer.head


@pytest.mark.check("D16")
def test_two_hosts_or_none_are_refused(stage: Stage) -> None:
    own = stage.signed_in.host

    assert ask(stage, own).status == 200
    assert {ask(stage, own, own).status, ask(stage, EVIL, own).status, ask(stage).status} <= {
        400,
        421,
    }


@pytest.mark.check("D16")
def test_the_host_is_compared_without_case(stage: Stage) -> None:
    assert ask(stage, stage.signed_in.host.upper()).status == 200


@pytest.mark.check("D16")
@pytest.mark.parametrize("blanks", [" ", "\t", " \t "])
def test_blanks_around_a_value_are_no_part_of_it(blanks: str, stage: Stage) -> None:
    host = stage.signed_in.host

    assert ask(stage, f"{blanks}{host}{blanks}").status == 200
    assert ask(stage, f"{host}\xa0").status == 421


@pytest.mark.check("D16")
def test_the_schemes_own_port_names_the_same_host(public_stage: Stage) -> None:
    host = public_stage.signed_in.host

    statuses = [ask(public_stage, f"{host}{port}").status for port in ("", ":443", ":80", ":8443")]

    assert statuses == [200, 200, 421, 421]


@pytest.mark.check("A12", "D16")
@pytest.mark.parametrize(("name", "value"), FORWARDED)
def test_a_header_about_the_way_here_changes_nothing(name: str, value: str, stage: Stage) -> None:
    target = "/login?return_to=/listrooms"
    told = stage.client().send("GET", target, headers={name: value})

    redirect_uri = f"redirect_uri=http%3A%2F%2Flocalhost%3A{stage.scene.port}%2Foauth&"
    assert told.status == 303
    assert redirect_uri in told.one("location")
    assert EVIL not in str(told.headers)


@pytest.mark.check("D16", "D17")
@pytest.mark.parametrize(("name", "value"), FORWARDED)
def test_a_header_opens_no_private_page(name: str, value: str, stage: Stage) -> None:
    assert stage.client().send("GET", "/listrooms", headers={name: value}).status == 401


@pytest.mark.check("D16")
@pytest.mark.parametrize("path", ["/", "/nothing", "/listrooms", "/?a=b"])
@pytest.mark.parametrize("host", [EVIL, f"{EVIL}:80", f"localhost.{EVIL}", "localhost:1"])
def test_an_absolute_target_is_held_to_the_same_rule(host: str, path: str, stage: Stage) -> None:
    answer = ask(stage, stage.signed_in.host, target=f"http://{host}{path}")

    assert answer.status == 421
    assert b"Mira" not in answer.body
    assert EVIL.encode() not in answer.octets


@pytest.mark.check("D16")
@pytest.mark.parametrize("target", [f"http://{EVIL}@localhost/", "http:///", "*", "a", EVIL])
def test_a_target_that_names_no_host_of_ours_shows_nothing(target: str, stage: Stage) -> None:
    answer = ask(stage, stage.signed_in.host, target=target)

    assert answer.status in {400, 404, 421}
    assert b"Mira" not in answer.body


@pytest.mark.check("D16")
@pytest.mark.parametrize("host", ["own", EVIL])
def test_the_host_of_an_absolute_target_counts_and_the_headers_does_not(
    host: str, stage: Stage
) -> None:
    own = stage.signed_in.host

    answer = ask(stage, own if host == "own" else host, target=f"http://{own}/")

    assert answer.status == 200
    assert b"Mira" in answer.body


@pytest.mark.check("D16", "H09")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_load_balancer_may_ask_for_health_by_address(path: str, stage: Stage) -> None:
    answer = ask(stage, "127.0.0.1", target=path)

    assert answer.status == 200
    assert answer.body in {b"alive\n", b"ready\n"}
