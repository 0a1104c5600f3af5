"""A backend that connects Webex to a user who is signed in, and makes none if a request says so."""

from typing import Any

from webex_oauth.django.backend import WebexBackend


class Connecting(WebexBackend):
    def create_user(self, request: Any, grant: Any) -> Any:
        if request.headers.get("X-New-Users") == "none":
            return None
        user = request.user
        return user if user.is_authenticated else super().create_user(request, grant)
