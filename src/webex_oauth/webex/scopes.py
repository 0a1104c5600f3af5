"""Scopes of Webex, each with what it lets an integration do, in plain words."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

ALL: Final = "spark:all"
KMS: Final = "spark:kms"
PEOPLE_READ: Final = "spark:people_read"
ROOMS_READ: Final = "spark:rooms_read"
MESSAGES_READ: Final = "spark:messages_read"
MEMBERSHIPS_READ: Final = "spark:memberships_read"
OPENID: Final = "openid"

_USER = {
    ALL: "Do everything you can do in Webex messaging",
    KMS: "Read content that is end-to-end encrypted, such as titles and messages",
    PEOPLE_READ: "See who you are and look up people in your company's directory",
    "spark:people_write": "Change people's details",
    ROOMS_READ: "See the titles and details of your spaces",
    "spark:rooms_write": "Create, change and delete your spaces",
    MEMBERSHIPS_READ: "See who is in your spaces",
    "spark:memberships_write": "Add people to your spaces, remove them and make them moderators",
    MESSAGES_READ: "Read the messages in your spaces",
    "spark:messages_write": "Post, edit and delete messages as you",
    "spark:teams_read": "See the teams you belong to",
    "spark:teams_write": "Create, change and delete your teams",
    "spark:team_memberships_read": "See who is in your teams",
    "spark:team_memberships_write": "Add people to your teams and remove them",
    "spark:webhooks_read": "See your webhooks",
    "spark:webhooks_write": "Create, change and delete your webhooks",
    "spark:organizations_read": "See your company's name and details",
    "spark:workspaces_read": "See workspaces",
    "spark:workspaces_write": "Create, change and delete workspaces",
    "spark:recordings_read": "See your recordings",
    "spark:recordings_write": "Change and delete your recordings",
    "spark:devices_read": "See your devices",
    "spark:devices_write": "Change and remove your devices",
    "spark:xapi_statuses": "See what your devices are doing",
    "spark:xapi_commands": "Control your devices",
    "spark:calls_read": "See your calls",
    "spark:calls_write": "Make, answer and end calls as you",
    "spark:telephony_config_read": "See your calling settings",
    "spark:telephony_config_write": "Change your calling settings",
    "spark:webrtc_calling": "Make and receive calls in a browser as you",
    "spark:xsi": "Use the calling services of your phone system as you",
    "spark:applications_read": "See the integrations and bots you have made",
    "spark:applications_write": "Change the integrations and bots you have made",
    "spark:applications_token": "Get tokens for the service apps you have made",
    "spark:bots_read": "See the bots you have made",
    "spark:bots_write": "Create, change and delete your bots",
    "spark:datasource_read": "See where your media streams are sent",
    "spark:mcp": "Let AI assistants use Webex as you",
}

_MEETINGS = {
    "meeting:schedules_read": "See your meetings",
    "meeting:schedules_write": "Schedule, change and cancel your meetings",
    "meeting:participants_read": "See who takes part in your meetings",
    "meeting:participants_write": "Admit people to your meetings and mute or remove them",
    "meeting:recordings_read": "See the recordings of your meetings",
    "meeting:recordings_write": "Delete the recordings of your meetings",
    "meeting:preferences_read": "See your meeting preferences",
    "meeting:preferences_write": "Change your meeting preferences",
    "meeting:transcripts_read": "Read the transcripts of your meetings",
    "meeting:transcripts_write": "Delete the transcripts of your meetings",
    "meeting:controls_read": "See the state of your running meetings",
    "meeting:controls_write": "Start and stop recording and lock your running meetings",
    "meeting:summaries_read": "Read the summaries of your meetings",
    "meeting:summaries_write": "Delete the summaries of your meetings",
}

_SIGN_IN = {
    OPENID: "Recognise you when you sign in",
    "email": "See your e-mail address",
    "profile": "See your name and picture",
    "phone": "See your phone numbers",
    "address": "See your postal address",
}

_ADMINISTRATION = {
    "spark-admin:people_read": "See everyone in your company and their settings",
    "spark-admin:people_write": "Add, change and remove people in your company",
    "spark-admin:organizations_read": "See your company's details as an administrator",
    "spark-admin:roles_read": "See which administrator roles there are",
    "spark-admin:licenses_read": "See your company's licences",
    "spark-admin:licenses_write": "Give licences to people and take them away",
    "spark-admin:locations_read": "See your company's locations",
    "spark-admin:locations_write": "Add, change and remove your company's locations",
    "spark-admin:workspaces_read": "See all workspaces of your company",
    "spark-admin:workspaces_write": "Add, change and remove workspaces of your company",
    "spark-admin:devices_read": "See all devices of your company",
    "spark-admin:devices_write": "Change and remove devices of your company",
    "spark-admin:recordings_read": "See all recordings of your company",
    "spark-admin:recordings_write": "Change and delete recordings of your company",
    "spark-admin:reports_read": "Read your company's reports",
    "spark-admin:reports_write": "Create and delete your company's reports",
    "spark-admin:calls_read": "See the calls of your company",
    "spark-admin:calls_write": "Manage the calls of your company",
    "spark-admin:calling_cdr_read": "Read the call history of your company",
    "spark-admin:call_qualities_read": "See how good the calls of your company are",
    "spark-admin:messages_read": "Read messages in your company as an administrator",
    "spark-admin:telephony_config_read": "See your company's calling settings",
    "spark-admin:telephony_config_write": "Change your company's calling settings",
    "identity:tokens_read": "See which integrations people in your company have allowed",
    "identity:tokens_write": "Withdraw integrations that people in your company have allowed",
    "analytics:read_all": "Read your company's usage figures",
    "audit:events_read": "Read what administrators of your company have done",
}

_COMPLIANCE = {
    "spark-compliance:events_read": "See everything that happens in your company's spaces",
    "spark-compliance:messages_read": "Read all messages in your company",
    "spark-compliance:messages_write": "Delete any message in your company",
    "spark-compliance:memberships_read": "See who is in any space of your company",
    "spark-compliance:memberships_write": "Add people to any space of your company or remove them",
    "spark-compliance:rooms_read": "See all spaces of your company",
    "spark-compliance:teams_read": "See all teams of your company",
    "spark-compliance:team_memberships_read": "See who is in any team of your company",
    "spark-compliance:recordings_read": "See all recordings of your company for compliance",
}

SCOPES: Mapping[str, str] = MappingProxyType(
    {**_USER, **_MEETINGS, **_SIGN_IN, **_ADMINISTRATION, **_COMPLIANCE}
)
"""What each scope allows; Webex has others."""


def describe(scope: str) -> str:
    """Return in plain words what *scope* allows, or that this is not known."""
    return SCOPES.get(scope, f"Use the permission “{scope}”, which is not described here")


def permits(granted: Collection[str] | None, scope: str) -> bool:
    """Return whether *granted* scopes cover *scope*; when they are not known, suppose so.

    `spark:all` covers the user scopes of messaging, but not the administrator's.
    """
    if granted is None or scope in granted:
        return True
    return ALL in granted and scope.startswith("spark:")
