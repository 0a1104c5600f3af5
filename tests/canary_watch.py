"""Where the canaries look: logs, requests to Webex, answers to browsers, files, errors."""

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from canary import PREFIX, Canaries

from webex_oauth.errors import WebexOAuthError
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Randomness, Transport
from webex_oauth.secret import Secret
from webex_oauth.web.visit import csrf_token

SECRET_BYTES = 32
TOKEN_FIELDS = ("access_token", "refresh_token")
FORM_SECRETS = ("client_secret", "code", "code_verifier", "refresh_token", "token")
TEST_BROWSER_LOGGERS = ("urllib3", "requests")
FORM_FIELD = 'name="csrf_token" value="{}"'


class LogWatch(logging.Handler):
    """Look at every log record: message, extra fields, and the locals of its traceback."""

    def __init__(self, canaries: Canaries) -> None:
        super().__init__(level=logging.NOTSET)
        self._canaries = canaries

    def emit(self, record: logging.LogRecord) -> None:
        """Look at *record*, unless the test's own browser wrote it."""
        if record.name.startswith(TEST_BROWSER_LOGGERS):
            return
        fields = {name: repr(value) for name, value in vars(record).items() if name != "exc_info"}
        self._canaries.look_at(f"log {record.name}", f"{record.getMessage()}\n{fields}")
        if record.exc_info and record.exc_info[1]:
            text = "".join(traceback.format_exception(record.exc_info[1]))
            self._canaries.look_at(f"log {record.name} traceback", text)


@contextmanager
def watched_log(canaries: Canaries) -> Iterator[None]:
    """Look at everything that anybody logs, at DEBUG level, inside the block."""
    root, watch = logging.getLogger(), LogWatch(canaries)
    level = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(watch)


class WatchedTransport:
    """Learn the secrets that go to Webex and come from it; look at every other place in them."""

    def __init__(self, inner: Transport, canaries: Canaries) -> None:
        self._inner = inner
        self._canaries = canaries

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Send as the inner transport does."""
        self._look_at_request(request)
        response = await self._inner.send(request, limits)
        self._canaries.look_at("repr of an answer", repr(response))
        if request.method == "POST":
            self._learn_tokens(response)
        return response

    def _look_at_request(self, request: HttpRequest) -> None:
        fields = parse_qsl(request.body.decode("ascii"), keep_blank_values=True)
        for name, value in fields:
            if name in FORM_SECRETS and len(value) >= PREFIX:
                self._canaries.plant(name, value)
        others = [field for field in fields if field[0] not in FORM_SECRETS]
        headers = {k: v for k, v in request.headers.items() if k != "authorization"}
        self._canaries.look_at("request to Webex", f"{request.url}\n{headers}\n{others}")
        self._canaries.look_at("repr of a request", repr(request))

    def _learn_tokens(self, response: HttpResponse) -> None:
        try:
            members = msgspec.json.decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for name in TOKEN_FIELDS if isinstance(members, dict) else ():
            value = members.get(name)
            if isinstance(value, str) and len(value) >= SECRET_BYTES:
                self._canaries.plant(name, value)


def watched_randomness(inner: Randomness, canaries: Canaries) -> Randomness:
    """Learn every 256-bit secret that the application makes: states, ids, verifiers, keys."""

    def draw(length: int) -> bytes:
        drawn = inner(length)
        if length == SECRET_BYTES:
            canaries.plant("random secret", drawn)
        return drawn

    return draw


def look_at_answer(
    canaries: Canaries,
    place: str,
    headers: Mapping[str, str],
    set_cookies: list[str],
    body: str,
    session_id: str | None,
) -> None:
    """Look at what a browser got.

    Its own cookies may carry their values, the way to Webex its state, and its own forms the
    token of its own session.
    """
    for cookie in set_cookies:
        name, _, rest = cookie.partition("=")
        _, _, attributes = rest.partition(";")
        is_ours = name.removeprefix("__Host-").startswith("webex_oauth_")
        canaries.look_at(f"{place}: cookie {name}", attributes if is_ours else cookie)
    if session_id:
        token = csrf_token(Secret(session_id)).reveal()
        canaries.plant("csrf_token", token)
        body = body.replace(FORM_FIELD.format(token), "")
    for name, value in headers.items():
        if name.lower() != "set-cookie":
            canaries.look_at(f"{place}: {name}", _without_state(value))
    canaries.look_at(f"{place}: page", body)


def _without_state(location: str) -> str:
    """Take the state out of the URL that leads to Webex; a callback's code and state stay."""
    if "/v1/authorize?" not in location:
        return location
    url, _, query = location.partition("?")
    fields = [field for field in query.split("&") if not field.startswith("state=")]
    return f"{url}?{'&'.join(fields)}"


def look_at_folder(canaries: Canaries, folder: Path) -> None:
    """Look into every file below *folder*, and at the names."""
    for path in sorted(folder.rglob("*")):
        canaries.look_at("name of a file", path.name)
        if path.is_file():
            canaries.look_at(f"file {path.name}", path.read_bytes())


def look_at_error(canaries: Canaries, error: BaseException) -> None:
    """Look at an error in every way that a tool could show it, locals of its frames included.

    What the test's own frames hold, down to the last one, is left out.
    """
    own_frames = error.__traceback__
    while own_frames and "/tests/" in own_frames.tb_frame.f_code.co_filename:
        own_frames = own_frames.tb_next
    error = error.with_traceback(own_frames or error.__traceback__)
    name = f"error {type(error).__name__}"
    canaries.look_at(f"{name}: repr", f"{error!r}\n{error}\n{vars(error)}")
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    canaries.look_at(f"{name}: locals", "".join(shown.format(chain=True)))
    if isinstance(error, WebexOAuthError):
        canaries.look_at(f"{name}: arguments", repr(error.args))
