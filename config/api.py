"""The API's addresses, under /api/."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path, reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import api as accounts
from cancellations import api as cancellations
from cancellations import booking_api as booking
from cancellations import desk_api as desk
from config import reference


class Root(APIView):
    """Where to begin."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="root",
        responses={200: {"type": "object", "additionalProperties": {"type": "string"}}},
    )
    def get(self, request: Request) -> Response:
        names = [
            "sign_in",
            "interviews",
            "search",
            "slots",
            "offers",
            "reasons",
            "cancellations",
            "work_items",
            "policies",
            "history",
            "insights",
            "schema",
            "docs",
        ]
        return Response({name: reverse(f"api:{name}") for name in names})


class Unknown(APIView):
    """Every other address: a problem, not a page."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.path.endswith("/"):
            raise NotFound
        raise NotFound(_("There is nothing here. Addresses of the API end in a slash."))


v1: list[URLPattern | URLResolver] = [
    path("", Root.as_view(), name="root"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("interviews/", cancellations.InterviewList.as_view(), name="interviews"),
    path("interviews/search/", desk.InterviewSearch.as_view(), name="search"),
    path(
        "interviews/<reference:reference>/",
        cancellations.InterviewDetail.as_view(),
        name="interview",
    ),
    path(
        "interviews/<reference:reference>/cancellation/",
        cancellations.InterviewCancellation.as_view(),
        name="cancellation",
    ),
    path(
        "interviews/<reference:reference>/company-cancellation/",
        desk.CompanyCancellation.as_view(),
        name="company_cancellation",
    ),
    path("slots/", booking.SlotList.as_view(), name="slots"),
    path("interviews/<reference:reference>/booking/", booking.Booking.as_view(), name="booking"),
    path("interviews/<reference:reference>/move/", booking.Move.as_view(), name="move"),
    path("interviews/<reference:reference>/decline/", booking.Declining.as_view(), name="decline"),
    path("offers/", booking.OfferList.as_view(), name="offers"),
    path(
        "offers/<reference:reference>/acceptance/",
        booking.Acceptance.as_view(),
        name="offer_acceptance",
    ),
    path(
        "offers/<reference:reference>/refusal/",
        booking.OfferRefusal.as_view(),
        name="offer_refusal",
    ),
    path(
        "applications/<reference:reference>/stage/",
        booking.ApplicationStage.as_view(),
        name="application_stage",
    ),
    path(
        "company-cancellations/",
        desk.CompanyCancellations.as_view(),
        name="company_cancellations",
    ),
    path("jobs/<reference:job>/", desk.JobDetail.as_view(), name="job"),
    path("work-items/", desk.WorkItemList.as_view(), name="work_items"),
    path(
        "work-items/<reference:reference>/assignment/",
        desk.Assignment.as_view(),
        name="assignment",
    ),
    path(
        "work-items/<reference:reference>/resolution/",
        desk.Resolution.as_view(),
        name="resolution",
    ),
    path("policies/", desk.PolicyList.as_view(), name="policies"),
    path("history/", desk.HistoryList.as_view(), name="history"),
    path("insights/", include("analytics.api.urls")),
    path("reasons/", cancellations.ReasonList.as_view(), name="reasons"),
    path("receipts/<reference:receipt>/", cancellations.ReceiptDetail.as_view(), name="receipt"),
    path("cancellations/", cancellations.CancellationList.as_view(), name="cancellations"),
    path(
        "cancellations/<reference:receipt>/approval/",
        cancellations.Approval.as_view(),
        name="approval",
    ),
    path(
        "cancellations/<reference:receipt>/refusal/",
        cancellations.Refusal.as_view(),
        name="refusal",
    ),
]

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(v1)),
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("docs/", reference.page, name="docs"),
    re_path(r"", Unknown.as_view(), name="unknown"),
]
