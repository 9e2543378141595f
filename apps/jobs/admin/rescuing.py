"""Settling now what nobody works on any more, instead of at the relay's next sweep."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.accounts.authentication import user_of
from apps.accounts.confirming import Question, ReasonForm, question_page
from apps.jobs import clock
from apps.jobs.services.rescue import rescue_now, would_rescue

MAY_RESCUE = "jobs.rescue_job"


def rescue_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """What would be settled, and when it is sent, what was.

    It finds anew what there is: of two who ask at once the second has nothing left.
    """
    if not request.user.has_perm(MAY_RESCUE):
        raise PermissionDenied
    back = reverse("admin:jobs_job_changelist")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        settled = rescue_now(by=user_of(request), at=clock.now(), reason=form.cleaned_data["reason"])
        said = f"{_orphans(settled)} settled. The relay sends what is queued again." if settled else "Nothing was left."
        model_admin.message_user(request, said, messages.SUCCESS if settled else messages.INFO)
        return HttpResponseRedirect(back)
    found = would_rescue(at=clock.now())
    question = Question(
        title=f"Rescue orphans: {found:,} now",
        effects=[
            f"{_orphans(found)} would be settled now." if found else "Nothing is left behind now.",
            "A stage whose worker is dead, or whose message is gone, is queued again with all its attempts.",
            "One whose worker died at its last attempt is failed, and says so.",
            "What undone uploads and replaced rows have left in the tables is taken out.",
            "The relay does the same by itself every few seconds: where orphans stay, see whether it runs.",
        ],
        items=[],
        form=form,
        button="Rescue",
        hidden=[],
        back=back,
    )
    return question_page(request, model_admin, question)


def _orphans(count: int) -> str:
    return "1 orphan" if count == 1 else f"{count:,} orphans"
