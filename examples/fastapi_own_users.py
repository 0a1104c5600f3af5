"""FastAPI with users and sessions of your own, who connect their Webex."""

import os

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

from webex_oauth import AsyncGrant
from webex_oauth.fastapi import WebexAuth
from webex_oauth.webex import rooms

USERS: dict[str, dict[str, str]] = {}  # your table, with a column `webex_person_id`


async def remember(request: Request, grant: AsyncGrant) -> Response | None:
    """Connect the user with their Webex; None sends the browser on to where it was going."""
    name = request.session.get("user") or grant.person_id  # addresses change hands
    USERS.setdefault(name, {})["webex_person_id"] = grant.person_id
    request.session["user"] = name
    return None


app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=os.environ["SESSION_SECRET"])
webex = WebexAuth(app, session=None, login_path="/connect-webex", on_sign_in=remember)


@app.get("/api/rooms", response_model=None)
async def list_rooms(request: Request) -> list[str | None] | Response:
    user = USERS.get(request.session.get("user", ""))
    if user is None:
        return RedirectResponse("/connect-webex?return_to=/api/rooms", 303)
    grant = await webex.integration.grants.get(user["webex_person_id"])
    return [room.title async for room in grant.items(rooms.listing())]
