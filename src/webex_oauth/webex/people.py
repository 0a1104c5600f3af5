"""People: the users of Webex."""

import re
from base64 import b64decode
from collections.abc import Collection
from typing import Final
from unicodedata import category

from msgspec import Struct

from webex_oauth.errors import InvalidResponse
from webex_oauth.webex.api import Call, api_path, read_members, text, usable_id

MAX_URL_CHARACTERS: Final = 2_048
MAX_EMAILS: Final = 20
_BASE64 = re.compile(r"[A-Za-z0-9+/]+", re.ASCII)
_URI = re.compile(rb"ciscospark://[^/]+/(?:PEOPLE|ORGANIZATION)/([^/]+)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Person(Struct, frozen=True, kw_only=True):
    """A person as Webex shows them to the caller.

    What is absent, null or not of its type is None or empty: only the `id` must be there.
    """

    id: str
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
        """What identifies the person for good."""
        return subject_of(self.id)

    @property
    def name(self) -> str | None:
        """What to call the person; None if Webex sent nothing that can be seen."""
        first_and_last = " ".join(name for name in (self.first_name, self.last_name) if name)
        names = (self.display_name, first_and_last, self.nick_name, *self.emails)
        return next((name for name in names if name and _is_visible(name)), None)


def subject_of(person_id: str) -> str:
    """Return what identifies a person or organization: the UUID that the id holds, else the id.

    Webex takes a plain UUID for an id in many places.
    """
    key = (_key_in(person_id.rstrip("=")) or person_id).lower()
    return key if _UUID.fullmatch(key) else person_id


def is_one_of(org_id: str | None, org_ids: Collection[str]) -> bool:
    """Return whether *org_ids*, ids or plain UUIDs, name the organization *org_id*."""
    return org_id is not None and subject_of(org_id) in map(subject_of, org_ids)


def _key_in(id_: str) -> str | None:
    if not _BASE64.fullmatch(id_) or len(id_) % 4 == 1:
        return None
    uri = _URI.fullmatch(b64decode(id_ + "=" * (-len(id_) % 4)))
    return uri[1].decode("ascii", errors="replace") if uri else None


def get(person_id: str) -> Call[Person]:
    """Return the question for one person; raise ValueError for what cannot be an id."""
    return Call(api_path("people", person_id), _read_person)


def me() -> Call[Person]:
    """Return the question for the person whose access token it is."""
    return get("me")


def _read_person(body: bytes) -> Person:
    members = read_members(body)
    id_ = usable_id(members.get("id"))
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
    emails = value[:MAX_EMAILS] if isinstance(value, list) else []
    return tuple(email for one in emails if (email := text(one)) is not None)


def _is_visible(name: str) -> bool:
    """Return whether there is more in *name* than spaces and what does not show."""
    return any(category(character)[0] not in "CZ" for character in name)
