"""Users who sign in with Webex: made when they first come, known by their person id ever after."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from webex_oauth.django import User
from webex_oauth.django.models import WebexAccount
from webex_oauth.library.synchronous import Grant
from webex_oauth.webex.people import subject_of


class WebexBackend(ModelBackend):  # type: ignore[misc] # Django has no types
    """Finds the user of a person, or makes one; permissions are those of `ModelBackend`."""

    def authenticate(
        self, request: HttpRequest | None, webex_grant: Grant | None = None, **_: Any
    ) -> User | None:
        """Return the user whose person has just signed in; None if there is none or not active."""
        if webex_grant is None or request is None:
            return None
        user = self._find(webex_grant) or self._make(request, webex_grant)
        return user if user and self.user_can_authenticate(user) else None

    def create_user(self, request: HttpRequest, grant: Grant) -> User | None:  # noqa: ARG002 - for those who override this
        """Return the user for a person who comes for the first time; override this as you like.

        To connect Webex to a user of yours who is signed in, return `request.user`. Return None to
        refuse the person.
        """
        model = get_user_model()
        names = {field.name for field in model._meta.get_fields()}  # noqa: SLF001 - Django's documented way to a model's fields
        known = {"email": grant.email or "", "first_name": (grant.display_name or "")[:150]}
        own = {name: value for name, value in known.items() if name in names}
        own[model.USERNAME_FIELD] = f"webex-{subject_of(grant.person_id)}"
        user = model(**own)
        user.set_unusable_password()
        user.save()
        return user

    def _find(self, grant: Grant) -> User | None:
        accounts = WebexAccount.objects.select_related("user")
        account = accounts.filter(person_id=grant.person_id).first()
        return account and account.user

    def _make(self, request: HttpRequest, grant: Grant) -> User | None:
        """Make user and account at once, or find those of a request that was faster."""
        try:
            with transaction.atomic():
                user = self.create_user(request, grant)
                # SQLite would give the account of nobody the number of a user that there is.
                if user is None or WebexAccount.objects.filter(user=user).exists():
                    return None
                WebexAccount.objects.create(user=user, person_id=grant.person_id)
        except IntegrityError:
            user = self._find(grant)
            if user is None:
                raise
        return user
