"""Registration, log-in, refresh, log-out, and one's own account."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aetherflow.errors import AnticipatedError
from aetherflow.registry import departments
from apps.accounts import services
from apps.accounts.authentication import CHALLENGE, Unauthenticated, address_of, bearer_token, user_of
from apps.accounts.choices import Approval, Role
from apps.accounts.cookies import (
    CSRF_HEADER,
    CSRF_VALUE,
    clear_refresh_cookie,
    device_of,
    refresh_cookie,
    refuse_foreign_page,
    set_device_cookie,
    set_refresh_cookie,
)
from apps.accounts.errors import FieldError, UnauthenticatedError
from apps.accounts.fields import TextField
from apps.accounts.models import User
from apps.accounts.scope import enter_gate
from apps.accounts.selectors import departments_of, password_rules

MODE_HEADER = "X-Auth-Mode"
_PASSWORD_LENGTH = 1024

_MODE = OpenApiParameter(
    MODE_HEADER,
    str,
    OpenApiParameter.HEADER,
    enum=["token"],
    description="`token`: the refresh token comes in the body too, for clients without a cookie jar.",
)
_CSRF = OpenApiParameter(
    CSRF_HEADER,
    str,
    OpenApiParameter.HEADER,
    description=f"`{CSRF_VALUE}`; needed where the refresh token comes from the cookie.",
)
_USER_EXAMPLE = {
    "id": "0b8f9d6e-4b8e-4d9a-9a43-0e7d8f2f6c11",
    "email": "ada@example.com",
    "full_name": "Ada Novak",
    "department": "sales",
    "departments": ["sales"],
    "role": "member",
    "approval": "approved",
    "created_at": "2026-03-31T09:15:00Z",
}
_SIGNED_IN_EXAMPLE = OpenApiExample(
    "Signed in",
    value={"access": "eyJhbGciOiJIUzI1NiIs…", "expires_in": 600, "user": _USER_EXAMPLE},
    response_only=True,
)


class RefusedField(exceptions.ValidationError):
    """A FieldError on its way through DRF: well-formed, so 422, with a pointer to the field."""

    status_code = 422

    def __init__(self, error: FieldError) -> None:
        super().__init__({error.field: [exceptions.ErrorDetail(error.message, code=error.code)]})
        self.hint = error.hint
        self.details = error.details


class AuthView(APIView):
    """Says 401 with a challenge also where a view takes no bearer token; DRF would turn it into 403."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, UnauthenticatedError):
            exc = Unauthenticated(exc)
        elif isinstance(exc, FieldError):
            exc = RefusedField(exc)
        return super().handle_exception(exc)

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's signature)
        return CHALLENGE


class PublicView(AuthView):
    """For who has no valid access token: a stale one in the header is not looked at."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        enter_gate()
        super().initial(request, *args, **kwargs)


class CookieView(PublicView):
    """For what sets a cookie, or stands on one."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_foreign_page(request)


class UserOutput(serializers.Serializer[User]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    department = serializers.SerializerMethodField(help_text="Null for an admin without one.")
    departments = serializers.SerializerMethodField(help_text="The departments this user sees.")
    role = serializers.ChoiceField(choices=Role.choices)
    approval = serializers.ChoiceField(choices=Approval.choices)
    created_at = serializers.DateTimeField()

    def get_department(self, user: User) -> str | None:
        return user.department or None

    def get_departments(self, user: User) -> list[str]:
        return list(departments_of(user))


class SignedInOutput(serializers.Serializer[services.SignedIn]):
    access = serializers.CharField(help_text="For `Authorization: Bearer`; keep it in memory only.")
    expires_in = serializers.SerializerMethodField(help_text="Seconds the access token is good for.")
    user = UserOutput()
    refresh = serializers.CharField(required=False, help_text=f"Only with `{MODE_HEADER}: token`.")

    def get_expires_in(self, _: services.SignedIn) -> int:
        return int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())

    def to_representation(self, instance: services.SignedIn) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if not self.context["with_refresh"]:
            del shown["refresh"]
        return shown


class DepartmentOutput(serializers.Serializer[Any]):
    slug = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the base has an option of that name


class PasswordRuleOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()
    least_characters = serializers.IntegerField(allow_null=True, help_text="Of a rule about the length.")


class ConfigOutput(serializers.Serializer[Any]):
    registration_policy = serializers.ChoiceField(choices=[policy.value for policy in services.Policy])
    departments = DepartmentOutput(many=True)
    password_rules = PasswordRuleOutput(many=True, help_text="What a new password must fulfil.")
    direct_upload = serializers.BooleanField(
        help_text="Whether large files may go straight to the store: `POST /datasets/uploads`."
    )


class ConfigView(PublicView):
    @extend_schema(operation_id="auth_config", responses=ConfigOutput)
    def get(self, request: Request) -> Response:  # noqa: ARG002 (DRF's signature)
        """What a log-in or registration page must know before anybody has logged in."""
        config = {
            "registration_policy": settings.REGISTRATION_POLICY,
            "departments": [{"slug": slug, "label": department.label} for slug, department in departments().items()],
            "password_rules": password_rules(),
            "direct_upload": settings.DIRECT_UPLOAD,
        }
        return Response(ConfigOutput(config).data)


class RegisterInput(serializers.Serializer[Any]):
    email = serializers.EmailField()
    password = TextField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)
    full_name = TextField(max_length=150)
    department = TextField(
        max_length=40, required=False, allow_blank=True, default="", help_text="Left out with an invitation."
    )
    invitation = TextField(
        max_length=100, required=False, allow_blank=True, default="", help_text="The token of an invitation."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["department"] and not attrs["invitation"]:
            raise serializers.ValidationError({"department": "Name a department."}, code="required")
        return attrs


class RegisterView(PublicView):
    limited = True

    @extend_schema(
        operation_id="auth_register",
        request=RegisterInput,
        responses={
            201: OpenApiResponse(
                UserOutput,
                description="The user; with `approval: pending` they can log in once an admin has approved. "
                "Under the policy `approval` a taken address gets the same answer and nothing changes.",
            )
        },
        examples=[
            OpenApiExample(
                "A member of sales",
                value={
                    "email": "ada@example.com",
                    "password": "nine-green-bottles",
                    "full_name": "Ada Novak",
                    "department": "sales",
                },
                request_only=True,
            ),
            OpenApiExample("The new user", value=_USER_EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make an account, by the registration policy (`GET /auth/config` tells it)."""
        given = RegisterInput(data=request.data)
        given.is_valid(raise_exception=True)
        user = services.register(
            policy=services.Policy(settings.REGISTRATION_POLICY),
            **given.validated_data,
            address=address_of(request),
            at=timezone.now(),
        )
        return Response(UserOutput(user).data, status=201)


class LoginInput(serializers.Serializer[Any]):
    # Not an EmailField: a mistyped address is answered like an unknown one.
    email = TextField(max_length=254)
    password = TextField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)
    code = TextField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        write_only=True,
        help_text="Of an operator's second factor: what the app shows, or a recovery code. Asked for by a 401 with the "
        "code `second-factor-needed`.",
    )


class LoginView(CookieView):
    limited = True

    @extend_schema(
        operation_id="auth_login",
        request=LoginInput,
        parameters=[_MODE],
        responses=SignedInOutput,
        examples=[
            OpenApiExample(
                "E-mail and password",
                value={"email": "ada@example.com", "password": "nine-green-bottles"},
                request_only=True,
            ),
            _SIGNED_IN_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        """Open a session: the access token in the body, the refresh token in an httpOnly cookie."""
        given = LoginInput(data=request.data)
        given.is_valid(raise_exception=True)
        at, with_refresh = timezone.now(), _asks_for_refresh(request)
        device = device_of(request, email=given.validated_data["email"])
        signed_in = services.log_in(
            **given.validated_data,
            user_agent=request.headers.get("User-Agent", ""),
            ip=address_of(request),
            device=device,
            at=at,
        )
        response = _tokens(signed_in, with_refresh=with_refresh, at=at)
        set_device_cookie(response, email=signed_in.user.email, device=device)
        return response


class RefreshInput(serializers.Serializer[Any]):
    refresh = TextField(max_length=4096, required=False, help_text="Left out where the cookie carries it.")


class RefreshView(CookieView):
    limited = True

    @extend_schema(
        operation_id="auth_refresh",
        request=RefreshInput,
        parameters=[_CSRF, _MODE],
        responses=SignedInOutput,
        examples=[_SIGNED_IN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """The next access token; the refresh token is exchanged too and is good for one use.

        From the cookie it needs the header `X-Requested-With: AetherFlow`; sent in the body, the next one
        comes back in the body. A token that was used before ends the session (401 `token-reused`), apart from
        a short grace for two tabs that refresh at once.
        """
        in_body, with_refresh = _refresh_in_body(request), _asks_for_refresh(request)
        token = in_body or refresh_cookie(request)
        if token is None:
            raise UnauthenticatedError(
                "There is no refresh token in the cookie or in the body.",
                code="refresh-missing",
                hint="Log in.",
            )
        at = timezone.now()
        signed_in = services.rotate(refresh=token, at=at)
        return _tokens(signed_in, with_refresh=bool(in_body) or with_refresh, at=at)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, UnauthenticatedError):
            clear_refresh_cookie(response)  # It will never be good again; a page would try it for ever.
        return response


class LogoutView(CookieView):
    @extend_schema(
        operation_id="auth_logout",
        request=RefreshInput,
        parameters=[_CSRF],
        responses={204: OpenApiResponse(description="The session has ended, or had before.")},
    )
    def post(self, request: Request) -> Response:
        """End the session of the refresh token (cookie or body) or of the bearer token; clears the cookie."""
        refresh = _refresh_in_body(request) or refresh_cookie(request)
        services.log_out(refresh=refresh, access=bearer_token(request), at=timezone.now())
        return signed_out()


class MeView(AuthView):
    @extend_schema(operation_id="auth_me", responses=UserOutput)
    def get(self, request: Request) -> Response:
        """The user who is asking."""
        return Response(UserOutput(user_of(request)).data)


class PasswordInput(serializers.Serializer[Any]):
    current_password = TextField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)
    new_password = TextField(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True)


class PasswordView(AuthView):
    limited = True

    @extend_schema(
        operation_id="auth_password",
        request=PasswordInput,
        responses={204: OpenApiResponse(description="Changed; all sessions have ended, log in again.")},
    )
    def post(self, request: Request) -> Response:
        """Change one's password. It ends every session of the account, this one too."""
        given = PasswordInput(data=request.data)
        given.is_valid(raise_exception=True)
        services.change_password(
            user=user_of(request),
            current=given.validated_data["current_password"],
            new=given.validated_data["new_password"],
            at=timezone.now(),
        )
        return signed_out()


def _refresh_in_body(request: Request) -> str | None:
    given = RefreshInput(data=request.data)
    given.is_valid(raise_exception=True)
    token: str | None = given.validated_data.get("refresh")
    return token


def _asks_for_refresh(request: Request) -> bool:
    """AnticipatedError for any other mode: who misspells it would look for the refresh token in vain."""
    mode = request.headers.get(MODE_HEADER)
    if mode not in {None, "token"}:
        raise AnticipatedError(
            f"{MODE_HEADER} can only be `token`.",
            code="unknown-auth-mode",
            hint="Leave the header out to keep the refresh token in the cookie alone.",
        )
    return mode == "token"


def _tokens(signed_in: services.SignedIn, *, with_refresh: bool, at: datetime) -> Response:
    body = SignedInOutput(signed_in, context={"with_refresh": with_refresh}).data
    response = Response(body)
    set_refresh_cookie(response, signed_in, at=at)
    return response


def signed_out() -> Response:
    response = Response(status=204)
    clear_refresh_cookie(response)
    return response
