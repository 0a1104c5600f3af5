"""Tables: the kinds of records that the ledger keeps, and by what each of them is listed."""

from webex_oauth.vault.records import Grant, Mark, Revocation, Session
from webex_oauth.vault.rows import Kind, Rows, Table
from webex_oauth.vault.sealing import Sealer


class Tables:
    """Records in *rows*, sealed by *sealer*.

    A session that is not used for *idle_seconds* is over.
    """

    def __init__(self, rows: Rows, sealer: Sealer, idle_seconds: int) -> None:
        self.rows = rows
        self.idle_seconds = idle_seconds
        self._keys = sealer.keys
        self.states = Table(
            rows, sealer, Kind.STATE, Mark, lambda mark: (b"", None, mark.kept_until)
        )
        self.sessions = Table(
            rows,
            sealer,
            Kind.SESSION,
            Session,
            lambda one: (one.grant_key, one.seen_at, one.over_at(idle_seconds)),
        )
        self.grants = Table(
            rows,
            sealer,
            Kind.GRANT,
            Grant,
            lambda grant: (self._group(grant), grant.due_at, grant.ends_at),
        )
        self.revocations = Table(
            rows, sealer, Kind.REVOCATION, Revocation, lambda one: (b"", one.due_at, one.ends_at)
        )

    def _group(self, grant: Grant) -> bytes:
        """Return by what a grant is found: a digest of the address, which gives it to nobody."""
        email = email_of(grant)
        return b"" if email is None else self._keys.primary.index(email)


def email_of(grant: Grant) -> str | None:
    """Return the address of a grant's person, in the case in which addresses are compared."""
    return grant.profile.email and grant.profile.email.casefold()
