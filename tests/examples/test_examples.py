"""Every example does what it says, run as a reader runs it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from examples.world import EXAMPLES, PYTHON, World, accepts

from webex_oauth.emulator import Options, RunningEmulator

LUCA = "luca@acme.example"
MIRA = "mira@acme.example"
PAGE = {"accept": "text/html"}
FIFTEEN_DAYS = 15 * 86_400


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    with RunningEmulator(options=Options(requests_per_minute=0)) as running:
        yield running


@pytest.fixture
def world(running: RunningEmulator, tmp_path: Path) -> World:
    return World(running, tmp_path)


def browse(client: httpx.Client, base: str) -> None:
    """Sign in, list spaces, reload the callback, sign out."""
    page = client.get("/api/rooms?x=1", headers=PAGE)
    assert page.status_code in {302, 303}, page.text
    start = client.get(page.headers["location"], headers=PAGE)
    assert start.status_code in {302, 303}, start.text
    back = accepts(client, start, MIRA)
    assert back.headers["location"] == "/api/rooms?x=1", back.text
    assert len(client.get("/api/rooms").json()) == 250
    assert client.get("/").json()["email"] == MIRA
    assert client.get(back.url).status_code in {302, 303}
    token = client.cookies.get("csrftoken") or ""
    out = client.post("/logout", headers={"origin": base, "x-csrftoken": token})
    assert out.status_code in {302, 303}, out.text
    assert client.get("/api/rooms", headers=PAGE).status_code in {302, 303}


def test_a_fastapi_application(world: World) -> None:
    with world.serving(*world.uvicorn("fastapi_rooms")) as client:
        refused = client.get("/api/rooms")
        assert (refused.status_code, refused.headers["content-type"]) == (
            401,
            "application/problem+json",
        )
        browse(client, world.base)


def test_a_flask_application_in_two_forked_workers(world: World) -> None:
    command = (PYTHON, "-m", "gunicorn", "--preload", "-w", "2", "--threads", "4")
    with world.serving(*command, "-b", f"localhost:{world.port}", "flask_rooms:app") as client:
        assert client.get("/api/rooms").status_code == 401
        browse(client, world.base)


def test_a_django_application(world: World) -> None:
    example = EXAMPLES / "django_rooms.py"
    assert "webex" in world.run(PYTHON, example, "migrate")
    port = str(world.port)
    with world.serving(PYTHON, example, "runserver", "--noreload", port) as client:
        # The address that runserver prints without a host.
        first = httpx.get(f"http://127.0.0.1:{port}/", headers=PAGE, trust_env=False)
        assert first.headers.get("location") == "/login?next=/", first.text
        browse(client, world.base)


def test_users_of_ones_own_connect_their_webex(world: World) -> None:
    with world.serving(*world.uvicorn("fastapi_own_users")) as client:
        start = client.get(client.get("/api/rooms").headers["location"], headers=PAGE)
        back = accepts(client, start, LUCA)
        assert back.headers["location"] == "/api/rooms"
        assert client.get(back.url).headers["location"] == "/api/rooms"
        assert len(client.get("/api/rooms").json()) == 3


def test_a_tool_that_people_sign_in_to_and_a_script_beside_it(world: World) -> None:
    tool = (PYTHON, EXAMPLES / "command_line.py")
    assert "run: tool login" in world.run(*tool, "token")
    assert f"Signed in as {LUCA}" in world.sign_in_at_terminal(*tool, "login")
    token = world.run(*tool, "token").strip()
    url = f"{world.emulator.origin}/v1/people/me"
    answer = httpx.get(url, headers={"authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.json()["displayName"] == "Luca Moretti"
    assert f"{LUCA}: active, 90 days" in world.run(*tool, "status")
    assert world.run_example("cron").splitlines()[0] == "Payments platform"
    assert world.run_example("cron", LUCA).splitlines()[0] == "Payments platform"
    world.run(*tool, "logout")
    assert "nobody has signed in" in world.run_example("cron")


def test_http_clients_and_sdks_over_two_weeks(world: World) -> None:
    world.sign_in_at_terminal(PYTHON, EXAMPLES / "command_line.py", "login")
    assert world.run_example("http_clients").count("Luca Moretti") == 4
    program = world.start(PYTHON, EXAMPLES / "sdks.py")
    assert program.stdout
    assert program.stdin
    assert program.stdout.readline().strip() == "Luca Moretti Luca Moretti"
    world.emulator.clock.advance(FIFTEEN_DAYS)
    before = world.emulator.journal.count("POST", "/v1/access_token")
    program.stdin.write("\n")
    program.stdin.flush()

    assert program.stdout.readline().strip() == "Luca Moretti Luca Moretti"
    assert world.emulator.journal.count("POST", "/v1/access_token") == before + 1
    program.communicate("q\n", timeout=20)


def test_celery_tasks(world: World) -> None:
    world.sign_in_at_terminal(PYTHON, EXAMPLES / "command_line.py", "login")
    code = (
        "import worker_celery as w; w.app.conf.task_always_eager = True;"
        "print(w.sweep.delay().get(), w.count_rooms.delay(w.webex.grants.one().person_id).get())"
    )

    assert "1 3" in world.run(PYTHON, "-c", code)


KERNEL = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=60).execute()
print(nbformat.writes(notebook))
"""


def test_a_notebook_signs_in_and_lists_spaces(world: World) -> None:
    visitor = f"{PYTHON} {Path(__file__).parent / 'person_at_browser.py'} %s"

    told = world.run(PYTHON, "-c", KERNEL, EXAMPLES / "notebook.ipynb", BROWSER=visitor)

    assert "Payments platform" in told
    assert "'Luca Moretti'" in told


def test_the_ready_application_below_a_path(running: RunningEmulator, tmp_path: Path) -> None:
    world = World(running, tmp_path, "/webex/oauth")
    with world.serving(*world.uvicorn("mounted")) as client:
        assert client.get("/report").status_code == 401
        page = client.get("/webex/")
        assert 'action="/webex/login"' in page.text
        style = re.search(r'href="(/webex/static/[^"]+app.css)"', page.text)
        assert style
        assert client.get(style[1]).status_code == 200
        back = accepts(client, client.get("/webex/login", headers=PAGE), MIRA)
        assert back.headers["location"] == "/webex/", back.text
        assert "Mira Ito" in client.get("/webex/").text
        assert client.get("/webex/listrooms").text.count("<tr") > 250
        assert client.get("/report").json() == "A report of the host's own for Mira Ito"


def test_a_front_end_without_a_token(world: World) -> None:
    csrf = {"x-webex-csrf": "1"}
    with world.serving(*world.uvicorn("front_end")) as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/webex/people/me", headers=csrf).status_code == 401
        accepts(client, client.get("/login?return_to=/", headers=PAGE), MIRA)
        assert client.get("/api/webex/people/me").status_code == 403
        me = client.get("/api/webex/people/me", headers=csrf).json()
        assert me["displayName"] == "Mira Ito"
        rooms = client.get("/api/webex/rooms?max=100", headers=csrf)
        following = re.search(r"<([^>]+)>", rooms.headers["link"])
        assert following
        assert following[1].startswith(f"{world.base}/api/webex/rooms")
        assert len(client.get(following[1], headers=csrf).json()["items"]) == 100
        assert client.get("/api/webex/licenses", headers=csrf).status_code == 404


def test_any_other_framework(world: World) -> None:
    with world.serving(PYTHON, EXAMPLES / "any_framework.py") as client:
        back = accepts(client, client.get("/login"), LUCA)
        assert back.text == "Hello, Luca Moretti"
        invented = str(back.url).replace("state=", "state=x")
        assert client.get(invented).status_code == 400


def test_a_test_of_ones_own_application(world: World) -> None:
    (world.folder / "test_mine.py").write_text((EXAMPLES / "test_your_own_app.py").read_text())

    told = world.run(
        PYTHON, "-m", "pytest", "-q", "-p", "webex_oauth.testing", "-p", "no:cacheprovider"
    )

    assert "1 passed" in told, told


def test_no_example_names_anything_private() -> None:
    for example in EXAMPLES.glob("*.py"):
        tree = ast.parse(example.read_text())
        modules = {
            node.module or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("webex_oauth")
        }
        private = re.compile(
            r"webex_oauth\.(vault|flows|stores|integration|library|settings|web)\b"
        )
        assert not [module for module in modules if private.match(module)], example.name
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not {name for name in attributes if name.startswith("_") and name[1] != "_"}
