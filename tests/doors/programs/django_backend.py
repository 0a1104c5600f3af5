"""A backend that connects Webex to a user of the project's own who is signed in."""

from typing import Any

from webex_oauth.django.backend import WebexBackend


class Connecting(WebexBackend):
    def create_user(self, request: Any, grant: Any) -> Any:
        user = request.user
        return user if user.is_authenticated else super().create_user(request, grant)
