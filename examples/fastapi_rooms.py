"""FastAPI, with the person as a dependency: `uvicorn fastapi_rooms:app --port 8080`."""

from typing import Annotated

from fastapi import FastAPI, Security

from webex_oauth import AsyncGrant
from webex_oauth.fastapi import WebexAuth
from webex_oauth.webex import rooms

app = FastAPI()
webex = WebexAuth(app)
Me = Annotated[AsyncGrant, Security(webex)]
MyRooms = Annotated[AsyncGrant, Security(webex, scopes=["spark:rooms_read"])]


@app.get("/")
async def me(grant: Me) -> dict[str, str | None]:
    return {"name": grant.display_name, "email": grant.email}


@app.get("/api/rooms")
async def list_rooms(grant: MyRooms) -> list[dict[str, str | None]]:
    return [{"id": r.id, "title": r.title} async for r in grant.items(rooms.listing())]
