"""The description of the auth routes, which clients are generated from."""

from drf_spectacular.generators import SchemaGenerator

OPERATIONS = {
    ("get", "config"): "auth_config",
    ("post", "register"): "auth_register",
    ("post", "login"): "auth_login",
    ("post", "refresh"): "auth_refresh",
    ("post", "logout"): "auth_logout",
    ("get", "me"): "auth_me",
    ("post", "password"): "auth_password",
}


def test_the_operations_keep_their_names_and_say_who_may_call_them() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for (method, name), operation_id in OPERATIONS.items():
        operation = schema["paths"][f"/api/v1/auth/{name}"][method]
        assert operation["operationId"] == operation_id
        assert operation.get("security", []) == ([{"bearer": []}] if name in {"me", "password"} else [])
    assert schema["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
