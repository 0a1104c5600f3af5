"""Admission in PostgreSQL: everything a sign-in brings, in one statement."""

from dataclasses import asdict
from typing import Final, LiteralString

from webex_oauth.errors import StoreConflict
from webex_oauth.stores.postgres.database import Link, Parameters
from webex_oauth.stores.postgres.grants import REPLACE
from webex_oauth.stores.postgres.sessions import end_session, end_session_alone
from webex_oauth.vault.attempts import AttemptState
from webex_oauth.vault.records import EndedSession, RevocationRecord
from webex_oauth.vault.store import ABSENT, Admission

ADD_GRANT: Final[LiteralString] = """
INSERT INTO {schema}.grants (key, version, sealed, access_expires_at, ends_at, keep_at,
    lease_owner, lease_until, presented_count, failure_count, retry_at)
  VALUES (%(key)s, %(version)s, %(sealed)s, %(access_expires_at)s, %(ends_at)s, %(keep_at)s,
    %(lease_owner)s, %(lease_until)s, %(presented_count)s, %(failure_count)s, %(retry_at)s)
  ON CONFLICT (key) DO NOTHING
"""
# Everything hangs on the one row that `kept` gives, or does not give.
THE_REST: Final[LiteralString] = """
 RETURNING key
), entered AS (
  INSERT INTO {schema}.sessions (digest, grant_key, sealed, created_at, seen_at, expires_at)
    SELECT %(digest)s, %(grant_key)s, %(profile)s, %(created_at)s, %(seen_at)s, %(expires_at)s
      FROM kept
), finished AS (
  UPDATE {schema}.attempts SET state = %(finished)s, session_digest = %(digest)s FROM kept
    WHERE state_digest = %(state_digest)s AND state = %(taken)s
), queued AS (
  INSERT INTO {schema}.revocations (grant_key, version, sealed, ends_at, due_at, try_count)
    SELECT key, %(earlier_version)s, %(earlier_sealed)s, %(earlier_ends_at)s::bigint,
        %(earlier_due_at)s, %(earlier_try_count)s
      FROM kept WHERE %(has_earlier)s
    ON CONFLICT (grant_key, version) DO NOTHING
)
SELECT key FROM kept
"""
ADMIT_NEW: Final = "WITH kept AS (" + ADD_GRANT + THE_REST
ADMIT_AGAIN: Final = "WITH kept AS (" + REPLACE + THE_REST


async def admit(link: Link, admission: Admission) -> EndedSession | None:
    """Complete a sign-in."""
    is_new = admission.expected_version == ABSENT
    kept = await link.row(ADMIT_NEW if is_new else ADMIT_AGAIN, _parameters(admission))
    if kept is None:
        raise StoreConflict("the grant is there already, moved on, or went")
    if admission.replaced_session is None:
        return None
    if admission.keeps_grants:
        return await end_session_alone(link, admission.replaced_session)
    now = admission.session.created_at
    return await end_session(link, admission.replaced_session, now, admission.idle_seconds)


def _parameters(admission: Admission) -> Parameters:
    session = admission.session
    return {
        **asdict(admission.grant),
        **_earlier_parameters(admission.earlier),
        "expected_version": admission.expected_version,
        "digest": session.digest,
        "grant_key": session.grant_key,
        "profile": session.sealed,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "state_digest": admission.attempt_state_digest,
        "taken": AttemptState.TAKEN.value,
        "finished": AttemptState.FINISHED.value,
    }


def _earlier_parameters(earlier: RevocationRecord | None) -> Parameters:
    row = earlier or RevocationRecord(b"", 0, b"", None, 0)
    return {
        "has_earlier": earlier is not None,
        "earlier_version": row.version,
        "earlier_sealed": row.sealed,
        "earlier_ends_at": row.ends_at,
        "earlier_due_at": row.due_at,
        "earlier_try_count": row.try_count,
    }
