"""People: the users of Webex."""

from typing import Final
from unicodedata import category

from msgspec import Struct

from webex_oauth.errors import InvalidResponse
from webex_oauth.webex.api import Call, api_path
from webex_oauth.webex.decoding import Id, id_in, read_members, text, uuid_in

MAX_URL_CHARACTERS: Final = 2_048
MAX_EMAILS: Final = 20


class Person(Struct, frozen=True, rename="camel", kw_only=True):
    """A person as Webex shows them to the caller.

    What is absent, null or not of its type is None or empty: only the `id` must be there.
    """

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
        """Return what identifies the person for good."""
        return subject_of(self.id)

    @property
    def name(self) -> str | None:
        """What to call the person; None if Webex told nothing that could be seen."""
        first_and_last = " ".join(name for name in (self.first_name, self.last_name) if name)
        names = (self.display_name, first_and_last, self.nick_name, *self.emails)
        return next((name for name in names if name and _is_visible(name)), None)


def subject_of(person_id: str) -> str:
    """Return what identifies a person for good: the UUID that the id holds, else the id."""
    return uuid_in(person_id, "PEOPLE") or person_id


def me() -> Call[Person]:
    """Ask for the person whose access token it is."""
    return _ME


def get(person_id: str) -> Call[Person]:
    """Ask for one person; raises ValueError for what cannot be an id."""
    return Call(api_path("people", person_id), _read_person)


def _read_person(body: bytes) -> Person:
    members = read_members(body)
    id_ = id_in(members)
    if id_ is None:
        raise InvalidResponse("the API's answer is not a person: it has no id")
    return Person(
        id=id_,
        display_name=text(members.get("displayName")),
        nick_name=text(members.get("nickName")),
        first_name=text(members.get("firstName")),
        last_name=text(members.get("lastName")),
        emails=_emails(members.get("emails")),
        avatar=text(members.get("avatar"), MAX_URL_CHARACTERS),
        org_id=text(members.get("orgId")),
        timezone=text(members.get("timezone")),
        status=text(members.get("status")),
        type=text(members.get("type")),
    )


def _emails(value: object) -> tuple[str, ...]:
    told = value[:MAX_EMAILS] if isinstance(value, list) else []
    return tuple(email for one in told if (email := text(one)) is not None)


def _is_visible(name: str) -> bool:
    """Return whether there is more in *name* than spaces and what does not show."""
    return any(category(character)[0] not in "CZ" for character in name)


_ME = Call(api_path("people", "me"), _read_person)
