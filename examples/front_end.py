"""A front end that calls Webex as the person and never sees a token."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse

from webex_oauth.fastapi import WebexAuth

app = FastAPI()
webex = WebexAuth(app)
app.include_router(webex.proxy(allow=["GET people/me", "GET rooms"]), prefix="/api/webex")


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(Path(__file__).with_name("front_end.html"))
