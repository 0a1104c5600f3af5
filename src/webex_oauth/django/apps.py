"""The application for `INSTALLED_APPS`: `webex_oauth.django`."""

from django.apps import AppConfig


class WebexOAuth(AppConfig):  # type: ignore[misc] # Django has no types
    """Users who sign in with Webex."""

    name = "webex_oauth.django"
    label = "webex_oauth"
    verbose_name = "Sign in with Webex"
