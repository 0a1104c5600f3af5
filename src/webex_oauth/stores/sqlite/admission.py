"""Admission in SQLite: everything a sign-in brings, in one transaction."""

import sqlite3

from webex_oauth.stores.sqlite.attempts import finish_attempt
from webex_oauth.stores.sqlite.grants import write_grant
from webex_oauth.stores.sqlite.revocations import add_revocation
from webex_oauth.stores.sqlite.sessions import add_session, end_session
from webex_oauth.vault.records import EndedSession
from webex_oauth.vault.store import Admission


def admit(connection: sqlite3.Connection, admission: Admission) -> EndedSession | None:
    session = admission.session
    write_grant(connection, admission.grant, admission.expected_version)
    add_session(connection, session)
    finish_attempt(connection, admission.attempt_state_digest, session.digest)
    if admission.earlier is not None:
        add_revocation(connection, admission.earlier)
    if admission.replaced_session is None:
        return None
    return end_session(
        connection,
        admission.replaced_session,
        now=session.created_at,
        idle_seconds=admission.idle_seconds,
        keeps_grants=admission.keeps_grants,
    )
