"""One's own sessions: which run, and the end of one or of all others."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import services
from apps.accounts.authentication import session_of, user_of
from apps.accounts.choices import SessionEnd
from apps.accounts.models import Session
from apps.accounts.pagination import ListPagination
from apps.accounts.selectors import session_for, sessions_for
from apps.accounts.views import AuthView, signed_out


class SessionOutput(serializers.Serializer[Session]):
    id = serializers.UUIDField()
    user_agent = serializers.CharField(help_text="What the browser or the program calls itself.")
    ip = serializers.IPAddressField(allow_null=True, help_text="Where the log-in came from.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="The last log-in or refresh.")
    expires_at = serializers.DateTimeField()
    current = serializers.SerializerMethodField(help_text="The session that is asking.")

    def get_current(self, session: Session) -> bool:
        return session == self.context["request"].auth


class SessionsEndedOutput(serializers.Serializer[Any]):
    ended = serializers.IntegerField(help_text="How many ran.")


class SessionListView(AuthView, generics.ListAPIView):
    serializer_class = SessionOutput
    pagination_class = ListPagination
    filter_backends = []
    queryset = Session.objects.none()

    def get_queryset(self) -> Any:
        return sessions_for(user_of(self.request), at=timezone.now())

    @extend_schema(operation_id="auth_sessions")
    def get(self, request: Request) -> Response:
        """One's own sessions that run, the last used first."""
        return self.list(request)

    @extend_schema(operation_id="auth_sessions_end_others", responses={200: SessionsEndedOutput})
    def delete(self, request: Request) -> Response:
        """End all of one's sessions but the one that is asking."""
        user = user_of(request)
        ended = services.end_sessions(
            user=user, reason=SessionEnd.OWNER, besides=session_of(request), by=user, at=timezone.now()
        )
        return Response(SessionsEndedOutput({"ended": ended}).data)


class SessionView(AuthView):
    @extend_schema(
        operation_id="auth_sessions_end",
        responses={204: OpenApiResponse(description="It has ended; its access token is refused from now on.")},
    )
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End one of one's own sessions. 404 for another's as for one that is not there."""
        user, at = user_of(request), timezone.now()
        session = session_for(user, session_id, at=at)
        services.end_session(session_id=session.pk, reason=SessionEnd.OWNER, by=user, at=at)
        return signed_out() if session == session_of(request) else Response(status=204)
