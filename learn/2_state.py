"""Step 2: every sign-in has a state of its own, good for one callback.

In step 1 all sign-ins share one state. Jonas has seen it, so he can write a callback with his own
code in it, and whoever opens that works in his account. Now the state is random and used once.
RFC 6749 section 10.12.
"""

import html, json, re, secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from urllib.request import HTTPError, Request, urlopen

ENV = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)', Path(".env").read_text()))
PARAMETERS = dict(parse_qsl(ENV["AUTH_INIT_URL"].partition("?")[2]))  # client_id, scope, state ...
CLIENT = {"client_id": PARAMETERS["client_id"], "client_secret": ENV["CLIENT_SECRET"]}
ORIGIN = PARAMETERS["redirect_uri"].removesuffix("/oauth")  # where we are
API = ENV.get("WEBEX_ORIGIN", "https://webexapis.com") + "/v1"
BROKER = API.replace("webexapis.com/v1", "idbroker.webex.com/idb/oauth2/v1")
ATTEMPTS = set()  # the states of sign-ins under way
TOKENS = {}  # session -> the tokens of the person who signed in there


def ask(url, access_token=None, form=None):
    """Ask Webex and return its JSON. A form makes it a POST."""
    request = Request(url, form and urlencode(form).encode())
    if access_token:
        request.add_header("Authorization", f"Bearer {access_token}")
    with urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "{}")


def call(session, url):
    """Call the API for a session's person. A 401 means that the access token has expired."""
    tokens = TOKENS[session]
    try:
        return ask(url, tokens["access_token"])
    except HTTPError as error:
        if error.code != 401:
            raise
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    TOKENS[session] = ask(f"{API}/access_token", form=CLIENT | form)
    return ask(url, TOKENS[session]["access_token"])


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.query = dict(parse_qsl(query))
        cookie = re.search(r"ladder=([\w-]+)", self.headers.get("Cookie", ""))
        self.session = cookie[1] if cookie else secrets.token_urlsafe()
        page = PAGES.get(f"{self.command} {path}")
        try:
            status, text = page(self) if page else (404, "There is nothing here.")
        except Exception as error:
            status, text = 502, f"That failed: {type(error).__name__}"
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Set-Cookie", f"ladder={self.session}")
        if status == 303:
            self.send_header("Location", text)
        self.end_headers()
        self.wfile.write(f"{TOP}<p>{text}".encode())

    def home(self):
        if self.session not in TOKENS:
            state = secrets.token_urlsafe()  # 256 bits that nobody can guess
            ATTEMPTS.add(state)
            url = f"{API}/authorize?{urlencode(PARAMETERS | {'state': state})}"
            return 200, f'<a href="{html.escape(url)}">Sign in with Webex</a>'
        person = call(self.session, f"{API}/people/me")
        rooms = call(self.session, f"{API}/rooms?sortBy=lastactivity&max=10")["items"]
        titles = "".join(f"<li>{html.escape(room['title'])}" for room in rooms)
        return 200, f"So happy to meet you, {html.escape(person['displayName'])}!<ul>{titles}"

    def oauth(self):
        attempt = self.query.get("state")
        if attempt not in ATTEMPTS:
            return 400, "This sign-in did not begin here, or is over."
        ATTEMPTS.remove(attempt)  # it was good once
        if "code" not in self.query:
            return 400, f"Webex says: {html.escape(self.query.get('error', 'nothing'))}"
        form = {"grant_type": "authorization_code", "code": self.query["code"]}
        form |= {"redirect_uri": PARAMETERS["redirect_uri"]}
        TOKENS[self.session] = ask(f"{API}/access_token", form=CLIENT | form)
        print("Signed in:", TOKENS[self.session])
        return self.home()

    def logout(self):
        tokens = TOKENS.pop(self.session)
        return 303, f"{BROKER}/logout?token={tokens['access_token']}&goto={ORIGIN}/"


TOP = """<!doctype html><title>The ladder</title><body style="font: 1.2rem system-ui; margin: 2rem">
<a href="/">Home</a> <a href="/logout">Sign out</a>"""
PAGES = {"GET /": App.home, "GET /oauth": App.oauth, "GET /logout": App.logout}
print(f"Open {ORIGIN}/ in a browser.", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(ENV.get("PORT", 8080))), App).serve_forever()
