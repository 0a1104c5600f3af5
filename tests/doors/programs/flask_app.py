"""A Flask application for several workers; the answer names the worker."""

import os

from flask import Flask

from webex_oauth import Settings
from webex_oauth.flask import WebexAuth, current_grant
from webex_oauth.webex import rooms

app = Flask(__name__)
webex = WebexAuth(app, settings=Settings.from_env(os.environ["WEBEX_ENV_FILE"]))


@app.get("/rooms")
@webex.login_required("spark:rooms_read")
def list_rooms() -> dict[str, int]:
    return {"count": sum(1 for _ in current_grant.items(rooms.listing())), "worker": os.getpid()}
