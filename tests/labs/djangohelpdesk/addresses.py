"""Where the lab's django-helpdesk answers."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def up(_: HttpRequest) -> HttpResponse:
    """Say that it runs."""
    return HttpResponse("up")


urlpatterns = [path("up", up), path("helpdesk/", include("helpdesk.urls", namespace="helpdesk"))]
