"""An answer that pages of every app above give."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """The answer to a POST is another page; reloading that one repeats nothing."""

    status_code = 303
