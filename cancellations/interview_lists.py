"""What an address of the desk's list asks for: filters, and whom a search found. No address ever
holds a name or a number, so a search stays in the session for a while, under a name that says
nothing."""

from dataclasses import replace
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import QueryDict
from django.utils import timezone

from accounts.decorators import DeskRequest
from cancellations.desk_filters import InterviewFilter
from config.references import new_reference
from interviews import listing
from interviews.listing import Wanted
from interviews.models import InterviewQuerySet
from interviews.search import Found

SEARCHES = 5  # remembered in a session
SEARCH_LASTS = 3600  # seconds
ALL = "all"  # as the view: the list itself, whichever view somebody opens first
NAMES = (*InterviewFilter.base_fields, "found", "view", "after", "before")


class AskedList:
    """The list that `asked`, a query of its address, asks for."""

    def __init__(self, asked: QueryDict, request: DeskRequest) -> None:
        self.user = request.user
        self.form = InterviewFilter(asked, user=request.user)
        self.found = asked.get("found", "")
        self.search = _recall(request.session, self.found)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.form.narrowing or self.found)

    @property
    def query(self) -> str:
        """As its address says it."""
        said = QueryDict(self.form.query(), mutable=True)
        if self.found:
            said["found"] = self.found
        return said.urlencode()

    @property
    def wanted(self) -> Wanted:
        """A search that has been forgotten finds nobody, rather than everybody."""
        if not self.found:
            return self.form.wanted
        people = tuple(self.search["people"]) if self.search else ()
        return replace(self.form.wanted, people=people)

    def everything(self) -> InterviewQuerySet:
        """The whole list, newest first."""
        return listing.everything(self.user, self.wanted)


def remember(session: SessionBase, found: Found) -> str:
    """The name under which this list finds these people, as long as it is remembered."""
    kept = dict(list(session.get("searches", {}).items())[1 - SEARCHES :])
    name = new_reference()
    until = timezone.now().timestamp() + SEARCH_LASTS
    session["searches"] = {
        **kept,
        name: {"people": list(found.people), "more": found.more, "until": until},
    }
    return name


def _recall(session: SessionBase, name: str) -> dict[str, Any] | None:
    search: dict[str, Any] | None = session.get("searches", {}).get(name) if name else None
    return search if search and search["until"] > timezone.now().timestamp() else None


def way_back(asked: QueryDict) -> str:
    """As much of an address as names a list, for the way back to it."""
    said = QueryDict(mutable=True)
    for name in NAMES:
        if name in asked:
            said.setlist(name, asked.getlist(name))
    return said.urlencode()
