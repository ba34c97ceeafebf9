"""The web server's way in."""

import gc
import os

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.wsgi import get_wsgi_application


class Request(WSGIRequest):
    """Reads UTF-8 whatever charset a request claims: Python knows some that are no text at all
    (zlib), and Django stumbles over them before any middleware runs."""

    @property
    def encoding(self) -> None:
        return None

    @encoding.setter
    def encoding(self, claimed: str) -> None:
        pass


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application: WSGIHandler = get_wsgi_application()
application.request_class = Request

# All that start-up made stays: the collector need not walk it again and again, nor look after every
# few hundred objects of a request.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
