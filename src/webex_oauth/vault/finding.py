"""Whose grant is meant: by the id of a person, by an address, or because there is only one."""

from typing import Final

from webex_oauth.errors import GrantNotFound
from webex_oauth.vault.ledger import Ledger
from webex_oauth.vault.records import Grant, grant_key

MOST_CANDIDATES: Final = 10
NOBODY: Final = "nobody has signed in"


async def grant_of_person(ledger: Ledger, issuer: str, person_id: str) -> Grant:
    """Return the grant of a person; raise GrantNotFound."""
    # A script that takes a token of the only person there is has no use for it.
    from webex_oauth.webex.people import subject_of  # noqa: PLC0415

    found = await ledger.find_grant(grant_key(issuer, subject_of(person_id)))
    if found is None:
        hint = ": find(email=...) takes addresses" if "@" in person_id else ""
        raise GrantNotFound(f"nothing is kept of the person {person_id!r}{hint}")
    return found.record


async def grant_with_email(ledger: Ledger, email: str) -> Grant | None:
    """Return the grant of the person with this address; None if there is none, or several."""
    found = await ledger.grants_with_email(email)
    return found[0].record if len(found) == 1 else None


async def grant_meant(ledger: Ledger, issuer: str, person: str | None) -> Grant:
    """Return the grant of *person*, an id or an address, or the only one if that is None.

    Raises GrantNotFound, which names the candidates.
    """
    if person is not None and "@" not in person:
        return await grant_of_person(ledger, issuer, person)
    if person is not None:
        grant = await grant_with_email(ledger, person)
        if grant is None:
            raise GrantNotFound(f"nothing is kept of {person}")
        return grant
    found = [entry.record for entry in await ledger.list_grants(b"", MOST_CANDIDATES)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise GrantNotFound(NOBODY)
    names = [one.profile.email or one.profile.person_id or one.subject for one in found]
    raise GrantNotFound(f"several people have signed in: {', '.join(names)}", names)
