"""Answers that more than one page gives."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """The answer to a POST is another page; reloading that one repeats nothing."""

    status_code = 303
