"""People, as developer.webex.com/docs/api/v1/people shows them to a colleague."""

from dataclasses import dataclass

import msgspec

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


class Contact(msgspec.Struct, frozen=True):
    """One of a person's phone numbers or SIP addresses."""

    type: str
    value: str
    primary: bool


class PersonAnswer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A person as JSON; what is absent is left out, as Webex does."""

    id: str
    emails: list[str]
    # A factory's result is never taken for a default, so an empty list is sent.
    phone_numbers: list[Contact]
    sip_addresses: list[Contact]
    display_name: str
    nick_name: str
    first_name: str
    last_name: str
    user_name: str
    org_id: str
    created: str
    last_modified: str
    timezone: str
    type: str
    avatar: str | None = None
    title: str | None = None
    department: str | None = None
    last_activity: str | None = None
    status: str | None = None


def person_answer(person: Person, origin: str) -> PersonAnswer:
    """Describe *person* as the API of *origin* does."""
    activity = person.last_activity_ms
    return PersonAnswer(
        id=person.id,
        emails=[person.email],
        phone_numbers=_phone_numbers(person),
        sip_addresses=_sip_addresses(person),
        display_name=person.display_name,
        nick_name=person.nick_name or person.first_name,
        first_name=person.first_name,
        last_name=person.last_name,
        user_name=person.email,
        org_id=webex_id("ORGANIZATION", person.organization_uuid),
        created=webex_instant(person.created_ms),
        last_modified=webex_instant(person.last_modified_ms),
        timezone=person.time_zone,
        type="person",
        avatar=f"{origin}/avatars/{person.uuid}.png" if person.has_avatar else None,
        title=person.job_title or None,
        department=person.department or None,
        last_activity=None if activity is None else webex_instant(activity),
        status=person.status,
    )


def _phone_numbers(person: Person) -> list[Contact]:
    if not person.work_phone:
        return []
    return [Contact(type="work", value=person.work_phone, primary=True)]


def _sip_addresses(person: Person) -> list[Contact]:
    local_part = person.email.split("@", maxsplit=1)[0]
    address = f"{local_part}@acme.webex.example"
    return [Contact(type="personal-room", value=address, primary=False)]
