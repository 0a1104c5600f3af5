"""The ready application below /webex of yours; register `http://localhost:8080/webex/oauth`."""

from typing import Annotated

from fastapi import FastAPI, Security

from webex_oauth import AsyncGrant
from webex_oauth.asgi import WebexApplication

app = FastAPI()
webex = WebexApplication(app)


@app.get("/report")
async def report(grant: Annotated[AsyncGrant, Security(webex.auth)]) -> str:
    return f"A report of the host's own for {grant.display_name}"
