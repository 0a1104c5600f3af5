"""The messages API: developer.webex.com/docs/api/v1/messages."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from webex_oauth.emulator.conversations import Message
from webex_oauth.emulator.endpoints import wire
from webex_oauth.emulator.endpoints.paging import PageQuery, answer_page, bad_request, read_query
from webex_oauth.emulator.endpoints.rooms import find_room, is_decrypted
from webex_oauth.emulator.identity.tokens import Grant
from webex_oauth.emulator.state import State
from webex_oauth.emulator.world import Person

_MOST_BYTES = 7_439
_MOST_MENTIONS = 100

_permitted = partial(wire.check_permission, api="messages")
_readable = partial(_permitted, scope="spark:messages_read")
_writable = partial(_permitted, scope="spark:messages_write")


class MessageQuery(PageQuery, frozen=True):
    """Which messages are requested, and which page of them."""

    room_id: str = ""
    person_id: str = ""
    person_email: str = ""
    parent_id: str = ""
    mentioned_people: str = ""
    before: datetime | None = None
    before_message: str = ""
    max: int = 50


class NewMessage(Struct, frozen=True, rename="camel"):
    """What to write, and where."""

    room_id: str = ""
    to_person_id: str = ""
    to_person_email: str = ""
    parent_id: str = ""
    text: str = ""
    markdown: str = ""
    files: Any = None
    attachments: Any = None


async def _list(state: State, request: Request) -> Response:
    grant, query = _readable(state, request), read_query(request, MessageQuery)
    if not query.room_id:
        raise bad_request("Required String parameter 'roomId' is not present")
    room, person = find_room(state, grant.person, query.room_id), grant.person
    if query.mentioned_people not in ("", "me", person.id, person.uuid):
        raise bad_request("mentionedPeople can only be me, or your own person ID.")
    is_mentioned = bool(query.mentioned_people)
    if person.type == "bot" and room.type == "group" and not is_mentioned:
        raise HTTPException(HTTPStatus.FORBIDDEN, wire.FORBIDDEN)
    messages = state.conversations.messages(room)
    if is_mentioned:
        query = msgspec.structs.replace(query, max=min(query.max, _MOST_MENTIONS))
        messages = [one for one in messages if person.id in one.mentioned_people]
    return _answer(state, request, grant, query, messages)


async def _list_direct(state: State, request: Request) -> Response:
    grant, query = _readable(state, request), read_query(request, MessageQuery)
    other = _person(state, query.person_id, query.person_email)
    room = state.conversations.direct_room(grant.person, other)
    messages = state.conversations.messages(room) if room else []
    return _answer(state, request, grant, query, messages)


def _answer(
    state: State, request: Request, grant: Grant, query: MessageQuery, messages: list[Message]
) -> Response:
    ids = [one.id for one in messages]
    if query.before_message in ids:
        messages = messages[ids.index(query.before_message) + 1 :]
    before = query.before.replace(tzinfo=query.before.tzinfo or UTC) if query.before else None
    found = [
        one
        for one in messages
        if query.parent_id in ("", one.parent_id)
        and (before is None or datetime.fromisoformat(one.created) < before)
    ]
    return answer_page(state, request, query, found, partial(_seen, state, grant))


async def _show(state: State, request: Request) -> Response:
    grant = _readable(state, request)
    message = _find(state, request, grant.person, "Unable to get message.")
    return wire.json_answer(_seen(state, grant, message))


async def _create(state: State, request: Request) -> Response:
    person = _writable(state, request).person
    if wire.content_type_of(request) == "multipart/form-data":
        raise wire.lacking("files and attachments in messages")
    wanted = await wire.read_json(request, NewMessage)
    places = (wanted.room_id, wanted.to_person_email, wanted.to_person_id)
    if len([place for place in places if place]) != 1:
        raise bad_request(
            "Exactly one of the destination fields must not be empty "
            "(roomId, toPersonEmail, toPersonId)"
        )
    if wanted.files or wanted.attachments:
        raise wire.lacking("files and attachments in messages")
    if not wanted.text and not wanted.markdown:
        raise bad_request("Both text and file cannot be empty.")
    if max(len(wanted.text.encode()), len(wanted.markdown.encode())) > _MOST_BYTES:
        raise bad_request('Unable to post message to room: "The request payload is too big"')
    if wanted.room_id:
        room = find_room(state, person, wanted.room_id)
    else:
        other = _person(state, wanted.to_person_id, wanted.to_person_email)
        talk = state.conversations
        room = talk.direct_room(person, other) or talk.open_direct_room(person, other)
    message = state.conversations.post(
        person, room, text=wanted.text, markdown=wanted.markdown, parent_id=wanted.parent_id
    )
    return wire.json_answer(message)


async def _delete(state: State, request: Request) -> Response:
    person = _writable(state, request).person
    message = _find(state, request, person, "Unable to delete message.")
    if message.person_id != person.id:
        raise HTTPException(HTTPStatus.FORBIDDEN, wire.FORBIDDEN)
    state.conversations.delete(message)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _find(state: State, request: Request, person: Person, complaint: str) -> Message:
    key = wire.read_id("MESSAGE", request.path_params["message_id"])
    message = state.conversations.message(key)
    is_seen = message and state.world.room(person, wire.read_id("ROOM", message.room_id))
    if message is None or is_seen is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, complaint)
    return message


def _person(state: State, person_id: str, email: str) -> Person:
    if person_id:
        person = state.world.person(wire.read_id("PEOPLE", person_id))
    else:
        person = state.world.person_by_email(email)
    if person is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "Person not found")
    return person


def _seen(state: State, grant: Grant, message: Message) -> Message:
    if is_decrypted(state, grant):
        return message
    return msgspec.structs.replace(message, text="", markdown="", html="")


ROUTES: wire.Routes = (
    ("GET", "/v1/messages", _list),
    ("POST", "/v1/messages", _create),
    ("GET", "/v1/messages/direct", _list_direct),
    ("GET", "/v1/messages/{message_id}", _show),
    ("DELETE", "/v1/messages/{message_id}", _delete),
)
