"""Admission in Redis: everything a sign-in brings, in one script."""

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.redis.database import RedisPart
from webex_oauth.stores.redis.rows import (
    REVOCATION,
    SESSION,
    grant_fields,
    version_bytes,
)
from webex_oauth.stores.redis.sessions import read_ended_session
from webex_oauth.vault.records import EndedSession, name_of
from webex_oauth.vault.store import Admission

CONFLICTS = {
    b"moved": "the grant moved on",
    b"taken": "a session with this id is there already",
}


class Admissions(RedisPart):
    """What completes sign-ins in a store."""

    async def admit(self, admission: Admission) -> EndedSession | None:
        grant, session, earlier = admission.grant, admission.session, admission.earlier
        outcome, *ended = await self._database.run_durably(
            "admit",
            key=grant.key,
            grant=grant_fields(grant),
            expected_version=version_bytes(admission.expected_version),
            digest=session.digest,
            session=SESSION.fields(session),
            state_digest=admission.attempt_state_digest,
            earlier_name=None if earlier is None else name_of(earlier),
            earlier=None if earlier is None else REVOCATION.fields(earlier),
            replaced_session=admission.replaced_session,
            now=session.created_at,
            idle_seconds=admission.idle_seconds,
            keeps_grants="yes" if admission.keeps_grants else None,
        )
        if outcome in CONFLICTS:
            raise StoreConflict(CONFLICTS[outcome])
        return read_ended_session(ended[0], session.created_at)
