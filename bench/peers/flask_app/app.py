"""The peer in Flask: sessions in memory behind a signed cookie, requests, gunicorn threads."""

import os
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from flask import Flask, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

WEBEX_ORIGIN = os.environ["WEBEX_ORIGIN"]
AUTHORIZE_URL = urlsplit(os.environ["AUTH_INIT_URL"])
PARAMETERS = {name: values[0] for name, values in parse_qs(AUTHORIZE_URL.query).items()}
STATE = secrets.token_hex(64)
LINK = AUTHORIZE_URL._replace(query=urlencode({**PARAMETERS, "state": STATE})).geturl()
PATIENCE_SECONDS = 30

app = Flask(__name__)
app.secret_key = secrets.token_hex(64)
tokens: dict[str, str] = {}


def ask_webex(url: str, token: str) -> requests.Response:
    """Call the API as a person."""
    headers = {"authorization": f"Bearer {token}"}
    response = requests.get(url, headers=headers, timeout=PATIENCE_SECONDS)
    response.raise_for_status()
    return response


def exchange(code: str) -> str:
    """Trade the code for an access token."""
    form = {
        "grant_type": "authorization_code",
        "client_id": PARAMETERS["client_id"],
        "client_secret": os.environ["CLIENT_SECRET"],
        "redirect_uri": PARAMETERS["redirect_uri"],
        "code": code,
    }
    url = f"{WEBEX_ORIGIN}/v1/access_token"
    response = requests.post(url, data=form, timeout=PATIENCE_SECONDS)
    response.raise_for_status()
    return str(response.json()["access_token"])


def person_page(token: str) -> str:
    """Greet the person."""
    person = ask_webex(f"{WEBEX_ORIGIN}/v1/people/me", token).json()
    return render_template("person.html", display_name=person["displayName"])


def all_rooms(token: str) -> Iterator[dict[str, Any]]:
    """Follow every page of the rooms list."""
    url: str | None = f"{WEBEX_ORIGIN}/v1/rooms?max=1000"
    while url:
        response = ask_webex(url, token)
        yield from response.json()["items"]
        url = response.links.get("next", {}).get("url")


def session_token() -> str | None:
    """Look up the token of this browser's session."""
    return tokens.get(session.get("id", ""))


@app.get("/")
def root() -> ResponseReturnValue:
    """Lead to the home page, as the sample does."""
    return redirect("/index.html")


@app.get("/index.html")
def home() -> ResponseReturnValue:
    """Offer the sign-in, or greet who signed in."""
    token = session_token()
    return person_page(token) if token else render_template("home.html", link=LINK)


@app.get("/oauth")
def oauth() -> ResponseReturnValue:
    """Take the callback."""
    code = request.args.get("code")
    if "error" in request.args or not code or request.args.get("state") != STATE:
        return render_template("error.html", reason=request.args.get("error", "unexpected")), 400
    token = exchange(code)
    session["id"] = secrets.token_urlsafe(32)
    tokens[session["id"]] = token
    return person_page(token)


@app.get("/listrooms")
def list_rooms() -> ResponseReturnValue:
    """Show the first page of rooms."""
    token = session_token()
    if not token:
        return redirect("/")
    rooms = ask_webex(f"{WEBEX_ORIGIN}/v1/rooms", token).json()["items"]
    return render_template("rooms.html", rooms=rooms)


@app.get("/listrooms/all")
def list_all_rooms() -> ResponseReturnValue:
    """Show every room."""
    token = session_token()
    if not token:
        return redirect("/")
    return render_template("rooms.html", rooms=list(all_rooms(token)))
