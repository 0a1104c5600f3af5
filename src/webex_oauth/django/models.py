"""Which user of the project's own is which person at Webex; no token is kept here."""

from django.conf import settings
from django.db import models


class WebexAccount(models.Model):  # type: ignore[misc] # Django has no types
    """The person at Webex that a user is; never found by an e-mail address, which changes hands."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="webex_account",
    )
    person_id = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return str(self.person_id)
