"""Mounted under /api/v1/auth/."""

from django.urls import path

from apps.accounts import session_views, views

app_name = "accounts"

urlpatterns = [
    path("config", views.ConfigView.as_view(), name="config"),
    path("register", views.RegisterView.as_view(), name="register"),
    path("login", views.LoginView.as_view(), name="login"),
    path("refresh", views.RefreshView.as_view(), name="refresh"),
    path("logout", views.LogoutView.as_view(), name="logout"),
    path("me", views.MeView.as_view(), name="me"),
    path("password", views.PasswordView.as_view(), name="password"),
    path("sessions", session_views.SessionListView.as_view(), name="sessions"),
    path("sessions/<uuid:session_id>", session_views.SessionView.as_view(), name="session"),
]
