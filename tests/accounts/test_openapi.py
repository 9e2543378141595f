"""The description of the auth routes, which clients are generated from."""

import io

import yaml
from django.core.management import call_command

OPERATIONS = {
    ("get", "config"): "auth_config",
    ("post", "register"): "auth_register",
    ("post", "login"): "auth_login",
    ("post", "refresh"): "auth_refresh",
    ("post", "logout"): "auth_logout",
    ("get", "me"): "auth_me",
    ("post", "password"): "auth_password",
    ("get", "sessions"): "auth_sessions",
    ("delete", "sessions"): "auth_sessions_end_others",
    ("delete", "sessions/{session_id}"): "auth_sessions_end",
}


def test_the_operations_keep_their_names_and_say_who_may_call_them() -> None:
    written = io.StringIO()
    call_command("spectacular", stdout=written)
    schema = yaml.safe_load(written.getvalue())
    paths = {path.rstrip("/"): operations for path, operations in schema["paths"].items()}
    for (method, name), operation_id in OPERATIONS.items():
        operation = paths[f"/api/v1/auth/{name}"][method]
        assert operation["operationId"] == operation_id
        assert operation["security"] == [{"bearer": []} if name.startswith(("me", "password", "sessions")) else {}]
    assert schema["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
