"""People, as developer.webex.com/docs/api/v1/people shows them to a colleague."""

from dataclasses import dataclass
from typing import Any

from webex_oauth.emulator.world.identifiers import webex_id, webex_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone with a Webex account. Instants are milliseconds since 1970."""

    uuid: str
    email: str
    display_name: str
    first_name: str
    last_name: str
    organization_uuid: str
    created_ms: int
    last_modified_ms: int
    last_activity_ms: int | None = None
    nick_name: str = ""
    time_zone: str = "Europe/Berlin"
    status: str = "active"
    has_avatar: bool = False
    job_title: str = ""
    department: str = ""
    work_phone: str = ""
    can_sign_in: bool = True
    about: str = ""
    """What the emulator's sign-in page tells about this person; never sent by the API."""

    @property
    def id(self) -> str:
        """The id in Webex's form."""
        return webex_id("PEOPLE", self.uuid)


def person_answer(person: Person, origin: str) -> dict[str, Any]:
    """Describe *person* as the API of *origin* does: what is absent is left out."""
    local_part = person.email.partition("@")[0]
    activity = person.last_activity_ms
    answer = {
        "id": person.id,
        "emails": [person.email],
        "phoneNumbers": [_contact("work", person.work_phone)] if person.work_phone else [],
        "sipAddresses": [_contact("personal-room", f"{local_part}@acme.webex.example")],
        "displayName": person.display_name,
        "nickName": person.nick_name or person.first_name,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "userName": person.email,
        "orgId": webex_id("ORGANIZATION", person.organization_uuid),
        "created": webex_instant(person.created_ms),
        "lastModified": webex_instant(person.last_modified_ms),
        "timezone": person.time_zone,
        "type": "person",
        "avatar": f"{origin}/avatars/{person.uuid}.png" if person.has_avatar else None,
        "title": person.job_title or None,
        "department": person.department or None,
        "lastActivity": None if activity is None else webex_instant(activity),
        "status": person.status,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _contact(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "primary": kind == "work"}
