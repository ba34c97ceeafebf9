"""Who may open a page. SignInRequired has let nobody through who is not signed in; these say where
such people sign in and what they find when they come back, and turn away who is signed in but in
the wrong place."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import services
from accounts.models import User

View = Callable[..., HttpResponseBase]
_CODE = re.compile(r"[\w-]{1,50}", re.ASCII)


class DeskRequest(HttpRequest):
    """What a page of the desk is asked with: desk_required saw to it that somebody is signed in."""

    user: User


class PortalRequest(HttpRequest):
    """What a page of the portal is asked with: nobody comes that far without being signed in."""

    user: User
    htmx: Any


def desk_required(view: View) -> View:
    """Staff only: others sign in at the desk, and signed-in candidates get 403."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.works_at_desk:  # type: ignore[union-attr]
            raise PermissionDenied
        return view(request, *args, **kwargs)

    wrapper.login_url = "accounts:desk_sign_in"  # type: ignore[attr-defined]
    return wrapper


def desk_permission_required(permission: str) -> Callable[[View], View]:
    """Staff who hold `permission`, for example "cancellations.decide_cancellation"; else 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return desk_required(wrapper)

    return decorate


def confirmation_required(view: View) -> View:
    """Staff who proved who they are within the last minutes; others give their password again. An
    open session alone must not be enough to open the account in another way."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if services.is_confirmed(request):
            return view(request, *args, **kwargs)
        back = request.get_full_path() if request.method == "GET" else reverse("accounts:two_step")
        return redirect(f"{reverse('accounts:confirm')}?{urlencode({'next': back})}")

    return desk_required(wrapper)


def before_second_step(view: View) -> View:
    """Open to staff who still have to set up the second step their company asks for."""
    view.before_second_step = True  # type: ignore[attr-defined]
    return view


def candidate_required(view: View) -> View:
    """The portal is for candidates: staff are sent to their desk."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.works_at_desk:  # type: ignore[union-attr]
            return redirect("cancellations:queue")
        return view(request, *args, **kwargs)

    return wrapper


def keeps_choices(*fields: str) -> Callable[[View], View]:
    """What was chosen in these fields is there again when a form could not be taken because nobody
    was signed in any more. It travels in the address: codes only, never what somebody wrote."""

    def decorate(view: View) -> View:
        view.kept_choices = fields  # type: ignore[attr-defined]
        return view

    return decorate


def with_choices(path: str, request: HttpRequest, view: View) -> str:
    """The way back to a form that was not taken, with the choices that `view` keeps."""
    sent = {field: request.POST.get(field, "") for field in getattr(view, "kept_choices", ())}
    choices = {field: value for field, value in sent.items() if _CODE.fullmatch(value)}
    if not choices:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(choices)}"
