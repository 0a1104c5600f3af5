"""The people API (developer.webex.com/docs/api/v1/people), and the pictures that it names."""

from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from webex_oauth.emulator.endpoints.pages import STATIC_FOLDER
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.endpoints.wire import (
    Routes,
    check_permission,
    json_answer,
    lacking,
    read_id,
)
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person, webex_id, webex_instant

_MOST_IDS = 85
_permitted = partial(check_permission, api="people", scope="spark:people_read")


class PeopleQuery(PageQuery, frozen=True):
    """Who is searched: by e-mail address, by the beginning of a name, or by ids."""

    email: str = ""
    display_name: str = ""
    id: str = ""


async def _show_me(state: State, request: Request) -> Response:
    return _answer(state, request, _permitted(state, request).person)


async def _list(state: State, request: Request) -> Response:
    own = _permitted(state, request).person
    for name in ("locationId", "roles", "orgId"):
        if name in request.query_params:
            raise lacking(f"the search for people by {name}")
    query = read_query(request, PeopleQuery)
    ids = [read_id("PEOPLE", one) for one in query.id.split(",") if one]
    if not (query.email or query.display_name or ids):
        raise bad_request("Email, displayName, or id list should be specified.")
    if len(ids) > _MOST_IDS:
        raise bad_request(f"id takes at most {_MOST_IDS} ids.")
    email, prefix = query.email.casefold(), query.display_name.casefold()
    found = [
        one
        for one in state.world.people
        if one.organization_uuid == own.organization_uuid
        and email in ("", one.email.casefold())
        and one.display_name.casefold().startswith(prefix)
        and (not ids or one.uuid in ids)
    ]
    missing = [one for one in ids if one not in {person.uuid for person in found}]
    return answer_page(
        state,
        request,
        query,
        found,
        partial(_described, origin=state.origins.front_door.as_asked(request.scope)),
        notFoundIds=[webex_id("PEOPLE", one) for one in missing] or None,
    )


async def _show_person(state: State, request: Request) -> Response:
    _permitted(state, request)
    person = state.world.person(read_id("PEOPLE", request.path_params["person_id"]))
    if person is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "Person not found")
    return _answer(state, request, person)


def _answer(state: State, request: Request, person: Person) -> Response:
    return json_answer(_described(person, state.origins.front_door.as_asked(request.scope)))


def _described(person: Person, origin: str) -> dict[str, Any]:
    local_part = person.email.partition("@")[0]
    activity = person.last_activity_ms
    answer = {
        "id": person.id,
        "emails": [person.email],
        "phoneNumbers": [_contact("work", person.work_phone)] if person.work_phone else [],
        "sipAddresses": [_contact("personal-room", f"{local_part}@acme.webex.example")],
        "displayName": person.display_name,
        "nickName": person.first_name,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "userName": person.email,
        "orgId": webex_id("ORGANIZATION", person.organization_uuid),
        "created": webex_instant(person.created_ms),
        "lastModified": webex_instant(person.last_modified_ms),
        "timezone": "Europe/Berlin",
        "type": person.type,
        "avatar": f"{origin}/avatars/{person.uuid}.png" if person.avatar_file else None,
        "title": person.job_title or None,
        "department": person.department or None,
        "lastActivity": None if activity is None else webex_instant(activity),
        "status": "active",
    }
    return {name: value for name, value in answer.items() if value is not None}


def _contact(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "primary": kind == "work"}


async def _show_avatar(state: State, request: Request) -> Response:
    # Webex keeps pictures on a host of their own, open to anyone who knows the address.
    person = state.world.person(request.path_params["person_uuid"])
    if person is None or not person.avatar_file:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {
        "Cache-Control": "public, max-age=3600",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(STATIC_FOLDER / person.avatar_file, headers=headers)


AVATAR_ROUTES: Routes = (("GET", "/avatars/{person_uuid}.png", _show_avatar),)
ROUTES: Routes = (
    ("GET", "/v1/people", _list),
    ("GET", "/v1/people/me", _show_me),
    ("GET", "/v1/people/{person_id}", _show_person),
    *AVATAR_ROUTES,
)
