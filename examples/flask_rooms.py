"""Flask: sign-in, sign-out, the current grant. `flask --app flask_rooms run --port 8080`."""

from flask import Flask
from flask.typing import ResponseReturnValue

from webex_oauth.flask import WebexAuth, current_grant
from webex_oauth.webex import rooms

app = Flask(__name__)
webex = WebexAuth(app)


@app.get("/")
@webex.login_required()
def me() -> ResponseReturnValue:
    return {"name": current_grant.display_name, "email": current_grant.email}


@app.get("/api/rooms")
@webex.login_required("spark:rooms_read")
def list_rooms() -> ResponseReturnValue:
    return [{"id": r.id, "title": r.title} for r in current_grant.items(rooms.listing())]
