"""Answers to views that end in an error of webex_oauth."""

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from webex_oauth.django import door
from webex_oauth.errors import WebexOAuthError
from webex_oauth.frameworks.answers import Answer, Asked


class WebexErrors(MiddlewareMixin):  # type: ignore[misc] # Django has no types
    """For `MIDDLEWARE`, behind Django's own."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer to an error of webex_oauth; leave others alone."""
        if not isinstance(error, WebexOAuthError):
            return None
        return response_of(door().answer_error(asked_of(request), error))


def asked_of(request: HttpRequest) -> Asked:
    """Return what decides the answer to a request."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(request.method or "", request.get_full_path(), headers)


def response_of(answer: Answer) -> HttpResponse:
    """Return *answer* as Django sends it."""
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
