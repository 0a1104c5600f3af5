"""Scopes: the catalogue with plain words, and what satisfies what."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

KMS_SCOPE = "spark:kms"
ALL_SCOPE = "spark:all"
OPENID_SCOPES = frozenset({"openid", "email", "profile", "phone", "address"})

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        ALL_SCOPE: "Do everything you can do with Webex messaging",
        KMS_SCOPE: "Decrypt content that is end-to-end encrypted",
        "spark:people_read": "See your profile and look people up in your company's directory",
        "spark:people_write": "Change profiles in your company's directory",
        "spark:rooms_read": "See the titles and details of your spaces",
        "spark:rooms_write": "Create, change and delete spaces",
        "spark:memberships_read": "See who is in your spaces",
        "spark:memberships_write": "Invite people to your spaces and remove them",
        "spark:messages_read": "Read the messages in your spaces",
        "spark:messages_write": "Post, edit and delete messages as you",
        "spark:teams_read": "See your teams",
        "spark:teams_write": "Create, change and delete teams",
        "spark:team_memberships_read": "See who is in your teams",
        "spark:team_memberships_write": "Invite people to your teams and remove them",
        "spark:webhooks_read": "See your webhooks",
        "spark:webhooks_write": "Create, change and delete webhooks",
        "spark:organizations_read": "See details of your organization",
        "spark:calls_read": "See your calls",
        "spark:calls_write": "Make and control calls as you",
        "spark:recordings_read": "See your recordings",
        "spark:recordings_write": "Change and delete your recordings",
        "spark:devices_read": "See your devices",
        "spark:devices_write": "Change your devices",
        "spark:workspaces_read": "See workspaces",
        "spark:workspaces_write": "Change workspaces",
        "meeting:schedules_read": "See your meetings",
        "meeting:schedules_write": "Schedule, change and cancel meetings for you",
        "meeting:participants_read": "See who takes part in your meetings",
        "meeting:recordings_read": "See recordings of your meetings",
        "meeting:transcripts_read": "Read transcripts of your meetings",
        "meeting:summaries_read": "Read summaries of your meetings",
        "spark-admin:people_read": "See every profile of your organization",
        "spark-admin:people_write": "Change every profile of your organization",
    }
)


def split_scope(scope: str) -> tuple[str, ...]:
    """Split a scope parameter into its distinct names, in order. RFC 6749 section 3.3."""
    return tuple(dict.fromkeys(scope.split()))


def scope_words(name: str) -> str:
    """Return in plain words what a scope allows."""
    return SCOPES.get(name, "Use a permission that this Webex has no words for")


def is_satisfied(needed: str, granted: Iterable[str]) -> bool:
    """Return whether the granted scopes allow what needs the scope *needed*."""
    names = set(granted)
    return needed in names or (ALL_SCOPE in names and needed.startswith("spark:"))
