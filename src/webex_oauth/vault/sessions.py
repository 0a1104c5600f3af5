"""A session: one signed-in browser, whose it is, and how long it lives."""

from dataclasses import asdict, dataclass

from webex_oauth.vault.records import SessionRecord, instant
from webex_oauth.vault.sealing import Context, Envelope, Sealer

TOUCH_EVERY_SECONDS = 60
CLOCK_SKEW_SECONDS = 60
"""How far the clocks of two machines on one store are apart at most."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a page shows of the person; all None when Webex would not say who it is."""

    person_id: str | None = None
    display_name: str | None = None
    email: str | None = None
    avatar: str | None = None
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session in plain.

    `digest` is the one of its id; `browser` says in words where it was begun, None if unknown.
    """

    digest: bytes
    grant_key: bytes
    profile: Profile
    created_at: int
    seen_at: int
    expires_at: int
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class _Sealed(Profile):
    """What is inside the seal: the profile's fields, and the browser."""

    browser: str | None = None


_ENVELOPE = Envelope(_Sealed)


def seal_session(sealer: Sealer, session: Session) -> SessionRecord:
    """Seal *session* for the store, bound to its id, its grant, its start and its end."""
    context = _context(session.digest, session.grant_key, session.created_at, session.expires_at)
    content = _Sealed(**asdict(session.profile), browser=session.browser)
    return SessionRecord(
        digest=session.digest,
        grant_key=session.grant_key,
        sealed=_ENVELOPE.seal(sealer, content, context),
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
    )


def open_session(sealer: Sealer, record: SessionRecord) -> Session:
    """Open *record*; raise SealBroken or KeyUnavailable."""
    content = asdict(_ENVELOPE.open(sealer, record.sealed, session_context(record)))
    browser = content.pop("browser")
    return Session(
        digest=record.digest,
        grant_key=record.grant_key,
        profile=Profile(**content),
        created_at=record.created_at,
        seen_at=record.seen_at,
        expires_at=record.expires_at,
        browser=browser,
    )


def session_context(record: SessionRecord) -> Context:
    """Say what the seal of *record* is bound to."""
    return _context(record.digest, record.grant_key, record.created_at, record.expires_at)


def is_live(record: SessionRecord, now: int, idle_seconds: int) -> bool:
    """Check that a session is neither past its end nor idle for *idle_seconds*."""
    return now < record.expires_at and now < _seen_at(record, now) + idle_seconds


def is_touch_due(record: SessionRecord, now: int, idle_seconds: int) -> bool:
    """Say whether use of the session should be written down: at most once a minute."""
    return now - record.seen_at >= min(TOUCH_EVERY_SECONDS, idle_seconds // 10)


def _seen_at(record: SessionRecord, now: int) -> int:
    """Return when the session was last seen; its sealed start where the row names the future."""
    is_future = record.seen_at > now + CLOCK_SKEW_SECONDS
    return record.created_at if is_future else record.seen_at


def _context(digest: bytes, grant_key: bytes, created_at: int, expires_at: int) -> Context:
    row = (digest, grant_key, instant(created_at), instant(expires_at))
    return Context(kind="session", row=row, field="profile", version=1)
