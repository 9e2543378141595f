"""How the console's templates say times."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from apps.accounts import console

register = template.Library()


# What a template does not find comes as an empty text.
@register.filter
def moment(at: datetime | str | None) -> SafeString | str:
    return console.moment(at if isinstance(at, datetime) else None)


@register.filter
def department(slug: str) -> str:
    return console.department_label(slug)


@register.filter
def span(seconds: float | str | None) -> str:
    return console.span(None if isinstance(seconds, str) else seconds)
