"""The yardstick: the least a Django view can do that locks a row, changes two and adds three."""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLES = [
    "CREATE TABLE floor_row (id bigserial PRIMARY KEY, state text, at timestamptz)",
    "CREATE TABLE floor_place (id bigserial PRIMARY KEY, taken int NOT NULL DEFAULT 0)",
    "CREATE TABLE floor_log (id bigserial PRIMARY KEY, row_id bigint, text text, at timestamptz)",
    "INSERT INTO floor_row (state) SELECT 'booked' FROM generate_series(1, 1000)",
    "INSERT INTO floor_place (taken) SELECT 0 FROM generate_series(1, 1000)",
]


def act(request: HttpRequest, number: int) -> HttpResponse:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, state FROM floor_row WHERE id = %s FOR UPDATE", [number])
        cursor.fetchone()
        cursor.execute("UPDATE floor_row SET state = 'x', at = now() WHERE id = %s", [number])
        cursor.execute("UPDATE floor_place SET taken = taken + 1 WHERE id = %s", [number])
        for text in ("one", "two", "three"):
            cursor.execute(
                "INSERT INTO floor_log (row_id, text, at) VALUES (%s, %s, now())", [number, text]
            )
    return HttpResponse("done")


urlpatterns = [path("floor/<int:number>/", act)]

if os.environ.get("DJANGO_SETTINGS_MODULE") == "benchmarks.floor_settings":
    application = get_wsgi_application()
