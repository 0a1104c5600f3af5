"""People: the users of Webex."""

from msgspec import Struct

from webex_oauth.webex.api import Call
from webex_oauth.webex.decoding import json_reader
from webex_oauth.webex.ids import Id, uuid_in
from webex_oauth.webex.path import api_path


class Person(Struct, frozen=True, rename="camel", kw_only=True):
    """A person as Webex shows them to the caller; what is not shown is None or empty."""

    id: Id
    display_name: str | None = None
    nick_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[str, ...] = ()
    avatar: str | None = None
    org_id: str | None = None
    timezone: str | None = None
    status: str | None = None
    type: str | None = None

    @property
    def subject(self) -> str:
        """Give what identifies the person for good."""
        return subject_of(self.id)


def subject_of(person_id: str) -> str:
    """Give what identifies a person for good: the UUID that the id holds, else the id."""
    return uuid_in(person_id, "PEOPLE") or person_id


_read_person = json_reader(Person)
_ME = Call(api_path("people", "me"), _read_person)


def me() -> Call[Person]:
    """Ask for the person whose access token it is."""
    return _ME


def get(person_id: str) -> Call[Person]:
    """Ask for one person; raises ValueError for what cannot be an id."""
    return Call(api_path("people", person_id), _read_person)
