"""The desk's settings: one page that leads to each of them, as far as one may open it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.decorators import desk_required
from accounts.permissions import (
    EDIT_POLICIES,
    IMPORT_INTERVIEWS,
    MANAGE_CONNECTIONS,
    MANAGE_STAFF,
    READ_HISTORY,
    READ_MESSAGES,
    VIEW_DESK,
)


@dataclass(frozen=True)
class Entry:
    """One page of settings, and the permission that opens it."""

    url: str
    title: Promise
    text: Promise
    permission: str


ENTRIES = [
    Entry(
        "accounts:me",
        _("My settings"),
        _("Your language, time zone, password and second step."),
        VIEW_DESK,
    ),
    Entry(
        "cancellations:policies",
        _("Rules for cancelling"),
        _("What happens at which notice: written, tried on past requests, switched on."),
        EDIT_POLICIES,
    ),
    Entry(
        "reminders:rules",
        _("Reminders"),
        _("What is sent by itself, when HR follows up, when a window closes."),
        EDIT_POLICIES,
    ),
    Entry(
        "cancellations:faq",
        _("Questions and answers"),
        _("What candidates are answered, by the assistant and on the help page."),
        EDIT_POLICIES,
    ),
    Entry(
        "cancellations:wording",
        _("Words of messages"),
        _("What people read when they are written to: changed, looked at, set back."),
        READ_MESSAGES,
    ),
    Entry(
        "cancellations:history",
        _("History"),
        _("Who did what, when and why, and the proof that nobody changed it afterwards."),
        READ_HISTORY,
    ),
    Entry(
        "interviews:jobs",
        _("Work in the background"),
        _("How far imports and cancelling many interviews are, and their reports."),
        VIEW_DESK,
    ),
    Entry(
        "interviews:imports",
        _("Import records"),
        _("Bring in files, undo it, or compare a file with what is here."),
        IMPORT_INTERVIEWS,
    ),
    Entry(
        "accounts:people",
        _("Staff"),
        _("Who works at the desk: roles, departments, lost second steps."),
        MANAGE_STAFF,
    ),
    Entry(
        "cancellations:connections",
        _("Connections"),
        _("Tokens for other systems, and webhooks that tell them what happened."),
        MANAGE_CONNECTIONS,
    ),
    Entry(
        "cancellations:chat_groups",
        _("Group chats"),
        _("Groups in DingTalk, WeCom or Feishu that are told what the desk is told."),
        MANAGE_CONNECTIONS,
    ),
    Entry(
        "interviews:platforms",
        _("Interview platforms"),
        _("Where AI interviews take place that are not held here: set up, compare, look into."),
        MANAGE_CONNECTIONS,
    ),
    Entry(
        "accounts:roles",
        _("Who may do what"),
        _("Each role and what it allows, and how many people hold it."),
        MANAGE_STAFF,
    ),
    Entry(
        "admin:index",
        _("Administration"),
        _("Departments, positions, people and everything else, row by row."),
        MANAGE_STAFF,
    ),
]


@desk_required
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """What this person may open of the settings."""
    context = {
        "entries": [entry for entry in ENTRIES if request.user.has_perm(entry.permission)],
        "place": "settings",
    }
    return render(request, "cancellations/desk/settings.html", context)
