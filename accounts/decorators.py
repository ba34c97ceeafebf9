"""Who may open a page. LoginRequiredMiddleware has let nobody through who is not signed in; these
say where such people sign in, and turn away who is signed in but in the wrong place."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

View = Callable[..., HttpResponseBase]


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


def candidate_required(view: View) -> View:
    """The portal is for candidates: staff are sent to their desk."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.works_at_desk:  # type: ignore[union-attr]
            return redirect("cancellations:queue")
        return view(request, *args, **kwargs)

    return wrapper
