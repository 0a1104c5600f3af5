"""Any other framework, here plain WSGI: the sign-in is values in and values out."""

from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any
from wsgiref.simple_server import make_server

from webex_oauth import Integration, SignInError

webex = Integration()


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    sent = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    cookies = {name: one.value for name, one in sent.items()}
    if environ["PATH_INFO"] == "/login":
        begun = webex.sign_in.begin(return_to="/")
        to_set = [("Set-Cookie", cookie) for cookie in begun.set_cookies]
        start("303 See Other", [("Location", begun.url), *to_set])
    elif environ["PATH_INFO"] == webex.settings.callback_path:
        try:
            end = webex.sign_in.complete(environ["QUERY_STRING"], cookies)
        except SignInError as error:
            start("400 Bad Request", [])
            return [str(error).encode()]
        start("200 OK", [])  # and now your own session, with end.grant.person_id in it
        return [f"Hello, {end.grant.display_name if end.grant else 'again'}".encode()]
    else:
        start("404 Not Found", [])
    return []


if __name__ == "__main__":
    make_server("localhost", webex.settings.port, app).serve_forever()
