"""An answer that the links in messages have in common."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def broken_link(request: HttpRequest) -> HttpResponse:
    """A link that came cut or changed leads nowhere, and says where the same is found."""
    response = render(request, "portal/broken_link.html", status=404)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
