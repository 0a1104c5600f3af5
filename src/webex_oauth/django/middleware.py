"""Answers to views that end in an error of webex_oauth."""

from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from django.utils.deprecation import MiddlewareMixin

from webex_oauth.django import door
from webex_oauth.errors import WebexOAuthError
from webex_oauth.frameworks.answers import Answer
from webex_oauth.frameworks.asked import Asked, asked_of_wsgi


class WebexErrors(MiddlewareMixin):  # type: ignore[misc] # Django has no types
    """For `MIDDLEWARE`, behind Django's own."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer to an error of webex_oauth; leave others alone."""
        if not isinstance(error, WebexOAuthError):
            return None
        return response_of(door().answer_error(asked_of(request), error))


def asked_of(request: HttpRequest) -> Asked:
    """Return what decides the answer to a request."""
    root = get_script_prefix().rstrip("/")
    return asked_of_wsgi(request.META, request.headers.items(), request.path, root)


def response_of(answer: Answer) -> HttpResponse:
    """Return *answer* as Django sends it."""
    return HttpResponse(answer.body, status=answer.status, headers=answer.headers)
