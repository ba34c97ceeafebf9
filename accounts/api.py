"""How a caller of the API gets its token."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services, two_step
from accounts.models import User
from accounts.throttling import TooManyTries
from accounts.tokens import SecondStepMissing, TokenAuthentication


class WrongCredentials(AuthenticationFailed):
    default_code = "wrong_credentials"
    default_detail = _("The number or address and the password do not belong together.")


class CodeNeeded(AuthenticationFailed):
    default_code = "code_needed"
    title = _("Two-step sign-in is on")
    default_detail = _("Send the code your authenticator app shows as well, as `code`.")


class WrongCode(AuthenticationFailed):
    default_code = "wrong_code"
    title = _("Two-step sign-in is on")
    default_detail = _("This is not the code your authenticator app shows now.")


class CredentialsSerializer(serializers.Serializer):
    identifier = serializers.CharField(
        max_length=254,
        help_text="Mobile number or national ID number; for staff, the email address.",
    )
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="Where two-step sign-in is on: from the app, or a recovery code.",
    )


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="To be sent as `Authorization: Token …`.")


class SignIn(APIView):
    """A password for a token. Changing the password ends the token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="sign_in",
        request=CredentialsSerializer,
        responses={
            200: TokenSerializer,
            400: OpenApiResponse(description="Something is missing."),
            401: OpenApiResponse(description="Unknown, wrong, or a code is needed: see `type`."),
            403: OpenApiResponse(description="The company asks for a second step; none is set up."),
            429: OpenApiResponse(description="Too many tries: see `Retry-After`."),
        },
    )
    def post(self, request: Request) -> Response:
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            user = _identify(request, **given.validated_data)
        except TooManyTries as error:
            refusal = Throttled(detail=str(error))
            refusal.wait = error.wait.total_seconds()  # type: ignore[attr-defined]
            raise refusal from None
        token, _created = Token.objects.get_or_create(user=user)
        return Response({"token": token.key}, headers={"Cache-Control": "no-store"})

    def get_authenticate_header(self, request: Request) -> str:
        return TokenAuthentication.keyword


def _identify(request: Request, *, identifier: str, password: str, code: str) -> User:
    """Raises AuthenticationFailed, TooManyTries."""
    connection = request._request  # what counts tries wants Django's own request
    user = services.check_password(connection, identifier=identifier, password=password)
    if user is None:
        raise WrongCredentials
    if services.lacks_second_step(user):
        raise SecondStepMissing
    if two_step.is_on(user):
        if not code:
            raise CodeNeeded
        if not services.check_second_step(connection, user, code):
            raise WrongCode
    return user
