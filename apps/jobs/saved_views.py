"""Views of the job list that people keep under a name, for themselves or for everybody."""

from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from aetherflow.errors import AnticipatedError, ForbiddenError, NotFoundError
from apps.accounts.models import User
from apps.jobs.models import SavedView

MAY_SHARE = "jobs.share_savedview"
# Where one was on the page, and not what one asked for.
_NOT_ASKED = ("p", "e", "all")
_NAME_LENGTH, _QUERY_LENGTH = 60, 2_000  # as the columns are
_MOST = 50


def views_for(user: User) -> QuerySet[SavedView]:
    """The user's own, and what others share."""
    return SavedView.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner").order_by("name", "id")


def save_view(*, name: str, query: str, shared: bool, by: User, at: datetime) -> SavedView:
    """Keep the question of a list's address; one of theirs that is called so asks this from now on."""
    # What no column can hold, and what would turn or hide the names beside it.
    name = " ".join("".join(each if each.isprintable() else " " for each in name).split())
    if not name:
        raise AnticipatedError("The view needs a name.", code="view-name-missing", hint="Say what it shows.")
    if len(name) > _NAME_LENGTH:
        raise AnticipatedError(
            f"The name has {len(name)} characters.", code="view-name-too-long", hint=f"{_NAME_LENGTH} are allowed."
        )
    question = asked(query)
    if len(question) > _QUERY_LENGTH:
        raise AnticipatedError(
            "The filter is too long to be kept.", code="view-too-long", hint="Shorten what it looks for."
        )
    if shared and not by.has_perm(MAY_SHARE):
        raise ForbiddenError(
            "You may not share views with everybody.",
            code="view-not-yours",
            hint="Keep it for yourself, or ask an admin.",
        )
    if SavedView.objects.filter(owner=by).exclude(name=name).count() >= _MOST:
        raise AnticipatedError(f"You keep {_MOST} views.", code="too-many-views", hint="Take one away first.")
    view, _ = SavedView.objects.update_or_create(
        owner=by,
        name=name,
        defaults={"query": question, "shared": shared},
        create_defaults={"query": question, "shared": shared, "created_at": at},
    )
    return view


def remove_view(*, view_id: int, by: User) -> SavedView:
    """One's own; a shared one of somebody else also who may share."""
    view = views_for(by).filter(pk=view_id).first()
    if view is None:
        raise NotFoundError(
            "There is no such view.", hint="It may have been taken away already: look at the list again."
        )
    if view.owner_id != by.pk and not by.has_perm(MAY_SHARE):
        raise ForbiddenError(
            "This view is somebody else's.", code="view-not-yours", hint=f"Ask {view.owner.email} to take it away."
        )
    view.delete()
    return view


def asked(query: str) -> str:
    """What of a list's address says what is looked at, in one spelling."""
    given = QueryDict(query.removeprefix("?"))
    chosen = [
        (name, value)
        for name, values in sorted(given.lists())
        for value in values
        if value and name not in _NOT_ASKED and not name.startswith("_")
    ]
    return urlencode(chosen)
