"""The WSGI application granian serves."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Request(WSGIRequest):
    """Survives a Content-Type that cannot be parsed (`boundary*=x''b`: there is no charset x).

    Django parses it while it makes the request, where nothing catches the error yet: the server would answer with a
    bare 500. `config.middleware.ContentTypeMiddleware` refuses such a request instead.
    """

    unreadable_content_type = False

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # not in the stubs
        except ValueError:
            self.content_type, self.content_params = "", {}
            self.unreadable_content_type = True


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
