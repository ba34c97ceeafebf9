"""Who gets what at every address: the table is written by hand, and a new address fails here until
somebody has thought about it."""

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiToken
from analytics.alerts.models import AlertRule
from cancellations.models import FaqEntry, HelpConversation, Policy
from candidates.models import Appeal, Mark
from config.encryption import encrypt_bytes
from interviews.booking.queries import invitation_token
from interviews.imports import template
from interviews.jobs import start_job
from interviews.models import Closure, Job, Offer, Recording, ReminderRule, Sitting
from interviews.refill.links import token_of
from interviews.reminders import links
from notifications import unsubscribing
from notifications.models import ChatGroup, Webhook
from tests import database
from tests.analytics.alerts.watched import alert_of
from tests.analytics.findings.counted import logged
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    DocumentFactory,
    InterviewFactory,
    MarkFactory,
    OfferFactory,
    PositionFactory,
    SittingFactory,
    SlotSeriesFactory,
    UserFactory,
    WaitingEntryFactory,
    WorkItemFactory,
)
from tests.interviews.platforms import platform_for

pytestmark = pytest.mark.django_db

# One interview and one waiting request of `owner`, both in the department of the recruiter `recr`,
# of `lead` and of `view`; `recr2` and `lead2` work in another one. `none` is not signed in.
#
#   200, 404 …  that status
#   in, desk    sent to the candidates' or the desk's sign-in page
#   work        staff, sent to their desk
#   on          sent on: to the result, to the next step, or to where one belongs
#
# Tests run without a worker (/readyz says 503), not in demo mode (no /demo/messages/), and with no
# provider set up that could report anything (/messages/sms/, /messages/mail/).
MATRIX = """
address                                method none  owner other recr  recr2 lead  lead2 view  admin

/                                      GET    in    on    on    work  work  work  work  work  work
/interviews/                           GET    in    200   200   work  work  work  work  work  work
/interviews/<ref>/                     GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/calendar.ics         GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/cancel/              GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/cancel/              POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/cancel/check/        GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/cancel/check/        POST   in    200   404   work  work  work  work  work  work
/interviews/<ref>/keep/                GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/keep/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/room/                GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/room/enter/          GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/room/enter/          POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/room/finish/         GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/room/finish/         POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/room/answers/<int:number>/ POST 401 200 404   404   404   404   404   404   404
/interviews/<ref>/room/answers/<int:number>/recording/ POST 401 415 404 404 404 404 404 404 404
/interviews/<ref>/room/heartbeat/      POST   401   200   404   404   404   404   404   404   404
/interviews/<ref>/room/go/             POST   401   200   404   404   404   404   404   404   404
/interviews/<ref>/room/events/         POST   401   204   404   404   404   404   404   404   404
/interviews/<ref>/cancel/instead/      GET    in    on    on    work  work  work  work  work  work
/interviews/<ref>/cancel/instead/      POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/apply-again/         GET    in    on    on    work  work  work  work  work  work
/interviews/<ref>/apply-again/         POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/wait/                GET    in    on    on    work  work  work  work  work  work
/interviews/<ref>/wait/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/wait/stop/           GET    in    on    on    work  work  work  work  work  work
/interviews/<ref>/wait/stop/           POST   in    on    404   work  work  work  work  work  work
/offers/<ref>/                         GET    in    200   404   work  work  work  work  work  work
/offers/<ref>/                         POST   in    422   404   work  work  work  work  work  work
/o/<str:token>/                        GET    200   200   200   200   200   200   200   200   200
/o/<str:token>/                        POST   422   422   422   422   422   422   422   422   422
/talent-pool/                          GET    in    200   200   work  work  work  work  work  work
/talent-pool/                          POST   in    on    on    work  work  work  work  work  work
/interviews/<ref>/exit/                GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/exit/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/exit/code/           GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/exit/code/           POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/confirm/             GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/confirm/             POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/trouble/             GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/trouble/             POST   in    on    404   work  work  work  work  work  work
/c/<str:token>/                        GET    200   200   200   200   200   200   200   200   200
/c/<str:token>/                        POST   on    on    on    on    on    on    on    on    on
/t/<str:token>/                        GET    200   200   200   200   200   200   200   200   200
/t/<str:token>/                        POST   on    on    on    on    on    on    on    on    on
/record/                               GET    in    200   200   work  work  work  work  work  work
/record/<ref>/appeal/                  GET    in    on    on    work  work  work  work  work  work
/record/<ref>/appeal/                  POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/again/               GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/again/               POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/book/                GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/book/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/move/                GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/move/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/decline/             GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/decline/             POST   in    422   404   work  work  work  work  work  work
/interviews/<ref>/documents/           GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/documents/           POST   in    404   404   work  work  work  work  work  work
/i/<str:token>/                        GET    200   200   200   200   200   200   200   200   200
/i/<str:token>/                        POST   on    on    on    on    on    on    on    on    on
/interviews/<ref>/help/                GET    in    200   404   work  work  work  work  work  work
/interviews/<ref>/help/                POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/help/<ref>/verdict/  GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/help/<ref>/verdict/  POST   in    on    404   work  work  work  work  work  work
/interviews/<ref>/help/<ref>/person/   GET    in    on    404   work  work  work  work  work  work
/interviews/<ref>/help/<ref>/person/   POST   in    on    404   work  work  work  work  work  work
/guide/                                GET    200   200   200   200   200   200   200   200   200
/receipts/                             GET    200   200   200   200   200   200   200   200   200
/receipts/<ref>/                       GET    200   200   200   200   200   200   200   200   200
/help/                                 GET    200   200   200   200   200   200   200   200   200

/desk/                                 GET    desk  403   403   200   200   200   200   200   200
/desk/messages/                        GET    desk  403   403   200   200   200   200   200   200
/desk/calendar/                        GET    desk  403   403   200   200   200   200   200   200
/desk/calendar/slots/new/              GET    desk  403   403   200   200   200   200   403   200
/desk/calendar/slots/new/              POST   desk  403   403   422   422   422   422   403   422
/desk/calendar/slots/<int:slot_id>/    GET    desk  403   403   200   404   200   404   200   200
/desk/calendar/slots/<int:slot_id>/    POST   desk  403   403   422   404   422   404   403   422
/desk/calendar/slots/<int:slot_id>/<action>/ GET desk 403 403   on    404   on    404   403   on
/desk/calendar/slots/<int:slot_id>/<action>/ POST desk 403 403  on    404   on    404   403   on
/desk/calendar/slots/<int:slot_id>/cancel/ GET desk 403   403   200   404   200   404   403   200
/desk/calendar/slots/<int:slot_id>/cancel/ POST desk 403  403   200   404   200   404   403   200
/desk/calendar/series/                 GET    desk  403   403   200   200   200   200   403   200
/desk/calendar/series/new/             GET    desk  403   403   200   200   200   200   403   200
/desk/calendar/series/new/             POST   desk  403   403   422   422   422   422   403   422
/desk/calendar/series/<int:series_id>/ GET    desk  403   403   200   404   200   404   403   200
/desk/calendar/series/<int:series_id>/ POST   desk  403   403   422   404   422   404   403   422
/desk/calendar/series/<int:series_id>/end/ GET desk 403   403   200   404   200   404   403   200
/desk/calendar/series/<int:series_id>/end/ POST desk 403  403   on    404   on    404   403   on
/desk/calendar/closures/               GET    desk  403   403   200   200   200   200   403   200
/desk/calendar/closures/new/           GET    desk  403   403   200   200   200   200   403   200
/desk/calendar/closures/new/           POST   desk  403   403   422   422   422   422   403   422
/desk/calendar/closures/<int:closure_id>/ GET desk  403   403   200   404   200   404   403   200
/desk/calendar/closures/<int:closure_id>/ POST desk 403   403   422   404   422   404   403   422
/desk/interviews/                      GET    desk  403   403   200   200   200   200   200   200
/desk/interviews/views/                GET    desk  403   403   on    on    on    on    on    on
/desk/interviews/views/                POST   desk  403   403   422   422   422   422   422   422
/desk/interviews/export/               GET    desk  403   403   on    on    on    on    403   on
/desk/interviews/export/               POST   desk  403   403   200   200   200   200   403   200
/desk/interviews/<ref>/                GET    desk  403   403   200   404   200   404   200   200
/desk/interviews/<ref>/reveal/         GET    desk  403   403   on    404   on    404   403   on
/desk/interviews/<ref>/reveal/         POST   desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/recordings/<int:answer_id>/ GET desk 403 403 on 404   on    404   403   on
/desk/interviews/<ref>/recordings/<int:answer_id>/ POST desk 403 403 200 404 200   404   403   200
/desk/interviews/<ref>/recordings/<int:answer_id>/sound/ GET desk 403 403 404 404 404 404 403 404
/desk/insights/                        GET    desk  403   403   200   200   200   200   200   200
/desk/insights/reasons/                GET    desk  403   403   200   200   200   200   200   200
/desk/insights/timing/                 GET    desk  403   403   200   200   200   200   200   200
/desk/insights/leaving/                GET    desk  403   403   200   200   200   200   200   200
/desk/insights/attendance/             GET    desk  403   403   200   200   200   200   200   200
/desk/insights/decisions/              GET    desk  403   403   200   200   200   200   200   200
/desk/insights/delivery/               GET    desk  403   403   200   200   200   200   200   200
/desk/insights/quality/                GET    desk  403   403   200   200   200   200   200   200
/desk/insights/guide/                  GET    desk  403   403   200   200   200   200   200   200
/desk/insights/findings/               GET    desk  403   403   200   200   200   200   200   200
/desk/insights/actions/                GET    desk  403   403   200   200   200   200   200   200
/desk/insights/actions/actions.csv     GET    desk  403   403   200   200   200   200   200   200
/desk/insights/actions/new/            GET    desk  403   403   on    on    on    on    403   on
/desk/insights/actions/new/            POST   desk  403   403   on    on    on    on    403   on
/desk/insights/actions/<int:action_id>/ GET   desk  403   403   200   404   200   404   200   200
/desk/insights/actions/<int:action_id>/edit/ GET desk 403 403   403   404   200   404   403   200
/desk/insights/actions/<int:action_id>/edit/ POST desk 403 403  403   404   422   404   403   422
/desk/insights/actions/<int:action_id>/remove/ GET desk 403 403 403   404   200   404   403   200
/desk/insights/actions/<int:action_id>/remove/ POST desk 403 403 403  404   on    404   403   on
/desk/insights/rows/                   GET    desk  403   403   200   200   200   200   200   200
/desk/insights/report/                 GET    desk  403   403   200   200   200   200   200   200
/desk/insights/report/weekly/           GET    desk  403   403   on    on    on    on    on    on
/desk/insights/report/weekly/           POST   desk  403   403   on    on    on    on    on    on
/desk/insights/tables/<slug:page>/<slug:table>.<slug:kind> GET desk 403 403 200 200 200 200 200 200
/desk/insights/alerts/                 GET    desk  403   403   200   200   200   200   200   200
/desk/insights/alerts/<int:alert_id>/  GET    desk  403   403   200   404   200   404   200   200
/desk/insights/alerts/rules/           GET    desk  403   403   403   403   200   200   403   200
/desk/insights/alerts/rules/new/       GET    desk  403   403   403   403   403   403   403   200
/desk/insights/alerts/rules/new/       POST   desk  403   403   403   403   403   403   403   422
/desk/insights/alerts/rules/<int:rule_id>/ GET  desk 403  403   403   403   403   403   403   200
/desk/insights/alerts/rules/<int:rule_id>/ POST desk 403  403   403   403   403   403   403   422
/desk/insights/alerts/rules/<int:rule_id>/delete/ GET desk 403 403 403 403 403 403 403 200
/desk/insights/alerts/rules/<int:rule_id>/delete/ POST desk 403 403 403 403 403 403 403 on
/desk/insights/risk/                   GET    desk  403   403   200   200   200   200   403   200
/desk/insights/risk/models/            GET    desk  403   403   200   200   200   200   200   200
/desk/refill/                          GET    desk  403   403   200   200   200   200   200   200
/desk/refill/<int:position_id>/        GET    desk  403   403   200   404   200   404   200   200
/desk/refill/<int:position_id>/settings/ GET  desk  403   403   403   403   on    404   403   on
/desk/refill/<int:position_id>/settings/ POST desk  403   403   403   403   422   404   403   422
/desk/refill/<int:position_id>/offer/  GET    desk  403   403   on    404   on    404   403   on
/desk/refill/<int:position_id>/offer/  POST   desk  403   403   on    404   on    404   403   on
/desk/refill/<int:position_id>/take-off/ GET  desk  403   403   on    404   on    404   403   on
/desk/refill/<int:position_id>/take-off/ POST desk  403   403   on    404   on    404   403   on
/desk/search/                          GET    desk  403   403   200   200   200   200   200   200
/desk/search/                          POST   desk  403   403   422   422   422   422   422   422
/desk/history/                         GET    desk  403   403   200   200   200   200   200   200
/desk/history/verify/                  GET    desk  403   403   on    on    on    on    on    on
/desk/history/verify/                  POST   desk  403   403   200   200   200   200   200   200
/desk/history/export/                  GET    desk  403   403   on    on    on    on    403   on
/desk/history/export/                  POST   desk  403   403   200   200   200   200   403   200
/desk/history/configuration/           GET    desk  403   403   403   403   200   200   403   200
/desk/history/configuration/export/    GET    desk  403   403   403   403   on    on    403   on
/desk/history/configuration/export/    POST   desk  403   403   403   403   200   200   403   200
/desk/history/looked-at/               GET    desk  403   403   403   403   200   200   403   200
/desk/history/looked-at/export/        GET    desk  403   403   403   403   on    on    403   on
/desk/history/looked-at/export/        POST   desk  403   403   403   403   200   200   403   200
/desk/history/removed/                 GET    desk  403   403   403   403   403   403   403   200
/desk/history/seals/                   GET    desk  403   403   403   403   403   403   403   200
/desk/settings/                        GET    desk  403   403   200   200   200   200   200   200
/desk/settings/policies/               GET    desk  403   403   403   403   200   200   403   200
/desk/settings/policies/new/           GET    desk  403   403   403   403   200   200   403   200
/desk/settings/policies/new/           POST   desk  403   403   403   403   422   422   403   422
/desk/settings/policies/<int:policy_id>/ GET  desk  403   403   403   403   200   404   403   200
/desk/settings/policies/<int:policy_id>/edit/ GET desk 403 403 403  403   200   404   403   200
/desk/settings/policies/<int:policy_id>/edit/ POST desk 403 403 403 403   422   404   403   422
/desk/settings/policies/<int:policy_id>/switch/ GET desk 403 403 403 403  200   404   403   200
/desk/settings/policies/<int:policy_id>/switch/ POST desk 403 403 403 403 422   404   403   422
/desk/settings/policies/<int:policy_id>/discard/ GET desk 403 403 403 403 200  404   403   200
/desk/settings/policies/<int:policy_id>/discard/ POST desk 403 403 403 403 422 404   403   422
/desk/settings/policies/<int:policy_id>/try/ GET desk 403 403 403   403   200   404   403   200
/desk/settings/reminders/              GET    desk  403   403   403   403   200   200   403   200
/desk/settings/reminders/new/          GET    desk  403   403   403   403   403   403   403   200
/desk/settings/reminders/new/          POST   desk  403   403   403   403   403   403   403   422
/desk/settings/reminders/<int:rule_id>/ GET   desk  403   403   403   403   403   403   403   200
/desk/settings/reminders/<int:rule_id>/ POST  desk  403   403   403   403   403   403   403   422
/desk/settings/answers/                GET    desk  403   403   403   403   200   200   403   200
/desk/settings/answers/new/            GET    desk  403   403   403   403   200   200   403   200
/desk/settings/answers/new/            POST   desk  403   403   403   403   422   422   403   422
/desk/settings/answers/<int:answer>/   GET    desk  403   403   403   403   200   200   403   200
/desk/settings/answers/<int:answer>/   POST   desk  403   403   403   403   422   422   403   422
/desk/settings/people/                 GET    desk  403   403   403   403   403   403   403   200
/desk/settings/people/                 POST   desk  403   403   403   403   403   403   403   200
/desk/settings/people/invite/          GET    desk  403   403   403   403   403   403   403   200
/desk/settings/people/invite/          POST   desk  403   403   403   403   403   403   403   200
/desk/settings/people/<int:pk>/        GET    desk  403   403   403   403   403   403   403   200
/desk/settings/people/<int:pk>/        POST   desk  403   403   403   403   403   403   403   200
/desk/settings/people/<int:pk>/<action>/ GET    desk  403   403   403   403   403   403   403   200
/desk/settings/people/<int:pk>/<action>/ POST   desk  403   403   403   403   403   403   403   on
/desk/settings/imports/                GET    desk  403   403   403   403   403   403   403   200
/desk/settings/imports/                POST   desk  403   403   403   403   403   403   403   422
/desk/settings/imports/<ref>/          GET    desk  403   403   403   403   403   403   403   200
/desk/settings/imports/<ref>/rejected.csv GET desk  403   403   403   403   403   403   403   200
/desk/settings/imports/<ref>/start/    GET    desk  403   403   403   403   403   403   403   on
/desk/settings/imports/<ref>/start/    POST   desk  403   403   403   403   403   403   403   on
/desk/settings/imports/<ref>/undo/     GET    desk  403   403   403   403   403   403   403   200
/desk/settings/imports/<ref>/undo/     POST   desk  403   403   403   403   403   403   403   on
/desk/settings/imports/template/<str:what>.<str:ext> GET desk 403 403 403 403 403 403 403 200
/desk/settings/imports/compare/        GET    desk  403   403   403   403   403   403   403   200
/desk/settings/imports/compare/        POST   desk  403   403   403   403   403   403   403   422
/desk/settings/imports/compare/<ref>/  GET    desk  403   403   403   403   403   403   403   200
/desk/settings/imports/compare/<ref>/report.csv GET desk 403 403 403 403 403 403 403 200
/desk/settings/messages/               GET    desk  403   403   403   403   200   200   403   200
/desk/settings/messages/<event>/<channel>/<language>/ GET desk 403 403 403 403 200 200 403 200
/desk/settings/messages/<event>/<channel>/<language>/ POST desk 403 403 403 403 403 403 403 422
/desk/settings/chats/                  GET    desk  403   403   403   403   403   403   403   200
/desk/settings/chats/new/              GET    desk  403   403   403   403   403   403   403   200
/desk/settings/chats/new/              POST   desk  403   403   403   403   403   403   403   422
/desk/settings/chats/<int:group_id>/<slug:action>/ GET desk 403 403 403 403 403 403 403 on
/desk/settings/chats/<int:group_id>/<slug:action>/ POST desk 403 403 403 403 403 403 403 on
/desk/settings/connections/            GET    desk  403   403   403   403   403   403   403   200
/desk/settings/connections/tokens/new/ GET    desk  403   403   403   403   403   403   403   200
/desk/settings/connections/tokens/new/ POST   desk  403   403   403   403   403   403   403   422
/desk/settings/connections/tokens/<int:token_id>/revoke/ GET desk 403 403 403 403 403 403 403 200
/desk/settings/connections/tokens/<int:token_id>/revoke/ POST desk 403 403 403 403 403 403 403 on
/desk/settings/connections/webhooks/new/ GET  desk  403   403   403   403   403   403   403   200
/desk/settings/connections/webhooks/new/ POST desk  403   403   403   403   403   403   403   422
/desk/settings/connections/webhooks/<int:hook_id>/ GET desk 403 403 403 403 403 403 403 200
/desk/settings/connections/webhooks/<int:hook_id>/change/ GET desk 403 403 403 403 403 403 403 200
/desk/settings/connections/webhooks/<int:hook_id>/change/ POST desk 403 403 403 403 403 403 403 422
/desk/settings/connections/webhooks/<int:hook_id>/<action>/ GET desk 403 403 403 403 403 403 403 on
/desk/settings/connections/webhooks/<int:hook_id>/<action>/ POST desk 403 403 403 403 403 403 403 on
/desk/settings/connections/replay/<int:delivery_id>/ GET desk 403 403 403 403 403 403 403 on
/desk/settings/connections/replay/<int:delivery_id>/ POST desk 403 403 403 403 403 403 403 on
/platforms/<slug:slug>/events/         POST   401   401   401   401   401   401   401   401   401
/desk/settings/platforms/              GET    desk  403   403   403   403   403   403   403   200
/desk/settings/platforms/new/          GET    desk  403   403   403   403   403   403   403   200
/desk/settings/platforms/new/          POST   desk  403   403   403   403   403   403   403   422
/desk/settings/platforms/<slug:slug>/  GET    desk  403   403   403   403   403   403   403   200
/desk/settings/platforms/<slug:slug>/change/ GET desk 403 403   403   403   403   403   403   200
/desk/settings/platforms/<slug:slug>/change/ POST desk 403 403  403   403   403   403   403   422
/desk/settings/platforms/<slug:slug>/<action>/ GET desk 403 403 403   403   403   403   403   on
/desk/settings/platforms/<slug:slug>/<action>/ POST desk 403 403 403  403   403   403   403   on
/desk/settings/roles/                  GET    desk  403   403   403   403   403   403   403   200
/desk/interviews/cancel/               GET    desk  403   403   200   200   200   200   403   200
/desk/interviews/cancel/               POST   desk  403   403   200   200   200   200   403   200
/desk/interviews/<ref>/cancel/         GET    desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/cancel/         POST   desk  403   403   on    404   on    404   403   on
/desk/interviews/<ref>/documents/      GET    desk  403   403   200   404   200   404   200   200
/desk/interviews/<ref>/documents/      POST   desk  403   403   on    404   on    404   on    on
/desk/interviews/<ref>/documents/<ref>/ GET   desk  403   403   on    404   on    404   403   on
/desk/interviews/<ref>/documents/<ref>/ POST  desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/time/           GET    desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/time/           POST   desk  403   403   on    404   on    404   403   on
/desk/interviews/<ref>/correct/        GET    desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/correct/        POST   desk  403   403   on    404   on    404   403   on
/desk/interviews/<ref>/follow-up/      GET    desk  403   403   200   404   200   404   403   200
/desk/interviews/<ref>/follow-up/      POST   desk  403   403   on    404   on    404   403   on
/desk/jobs/                            GET    desk  403   403   200   200   200   200   200   200
/desk/jobs/<ref>/                      GET    desk  403   403   404   404   200   404   404   200
/desk/jobs/<ref>/report.csv            GET    desk  403   403   404   404   200   404   404   200
/desk/jobs/<ref>/stop/                 GET    desk  403   403   404   404   on    404   404   on
/desk/jobs/<ref>/stop/                 POST   desk  403   403   404   404   on    404   404   on
/desk/several/                         GET    desk  403   403   403   403   200   200   403   200
/desk/several/                         POST   desk  403   403   403   403   on    on    403   on
/desk/several/done/                    GET    desk  403   403   403   403   200   200   403   200
/desk/work/<ref>/                      GET    desk  403   403   200   404   200   404   200   200
/desk/work/<ref>/assign/               GET    desk  403   403   on    404   on    404   403   on
/desk/work/<ref>/assign/               POST   desk  403   403   on    404   on    404   403   on
/desk/work/<ref>/contact/              GET    desk  403   403   404   404   404   404   403   404
/desk/work/<ref>/contact/              POST   desk  403   403   404   404   404   404   403   404
/desk/work/<ref>/resolve/              GET    desk  403   403   on    404   on    404   403   on
/desk/work/<ref>/resolve/              POST   desk  403   403   422   404   422   404   403   422
/desk/absences/<ref>/                  GET    desk  403   403   200   404   200   404   200   200
/desk/absences/<ref>/<action>/         GET    desk  403   403   on    404   on    404   403   on
/desk/absences/<ref>/<action>/         POST   desk  403   403   on    404   on    404   403   on
/desk/appeals/<ref>/                   GET    desk  403   403   200   404   200   404   200   200
/desk/appeals/<ref>/file/              GET    desk  403   403   on    404   on    404   403   on
/desk/appeals/<ref>/file/              POST   desk  403   403   200   404   200   404   403   200
/desk/appeals/<ref>/<action>/          GET    desk  403   403   403   403   on    404   403   on
/desk/appeals/<ref>/<action>/          POST   desk  403   403   403   403   on    404   403   on
/desk/requests/<ref>/                  GET    desk  403   403   200   404   200   404   200   200
/desk/requests/<ref>/approve/          GET    desk  403   403   403   403   on    404   403   on
/desk/requests/<ref>/approve/          POST   desk  403   403   403   403   on    404   403   on
/desk/requests/<ref>/decline/          GET    desk  403   403   403   403   on    404   403   on
/desk/requests/<ref>/decline/          POST   desk  403   403   403   403   on    404   403   on

/sign-in/                              GET    200   on    on    on    on    on    on    on    on
/sign-in/                              POST   200   on    on    on    on    on    on    on    on
/sign-in/code/                         GET    200   on    on    on    on    on    on    on    on
/sign-in/code/                         POST   200   on    on    on    on    on    on    on    on
/sign-in/code/confirm/                 GET    on    on    on    on    on    on    on    on    on
/sign-in/code/confirm/                 POST   on    on    on    on    on    on    on    on    on
/sign-in/code/again/                   GET    on    on    on    on    on    on    on    on    on
/sign-in/code/again/                   POST   on    on    on    on    on    on    on    on    on
/sign-in/second-step/                  GET    in    on    on    on    on    on    on    on    on
/sign-in/second-step/                  POST   in    on    on    on    on    on    on    on    on
/sign-in/passkey/                      GET    desk  on    on    on    on    on    on    on    on
/sign-in/passkey/                      POST   desk  on    on    on    on    on    on    on    on
/sign-in/passkey/challenge/            GET    desk  on    on    on    on    on    on    on    on
/sign-in/passkey/challenge/            POST   200   on    on    on    on    on    on    on    on
/desk/sign-in/                         GET    200   on    on    on    on    on    on    on    on
/desk/sign-in/                         POST   200   on    on    on    on    on    on    on    on
/desk/sign-in/with/<provider>/         GET    404   on    on    on    on    on    on    on    on
/desk/sign-in/with/<provider>/         POST   404   on    on    on    on    on    on    on    on
/desk/sign-in/with/<provider_id>/back/ GET    404   404   404   404   404   404   404   404   404
/desk/sign-in/with/dingtalk/back/      GET    404   404   404   404   404   404   404   404   404
/desk/sign-in/with/feishu/back/        GET    404   404   404   404   404   404   404   404   404
/sign-out/                             POST   in    in    in    desk  desk  desk  desk  desk  desk
/password/forgotten/                   GET    200   on    on    on    on    on    on    on    on
/password/forgotten/                   POST   200   on    on    on    on    on    on    on    on
/password/reset/sent/                  GET    200   on    on    on    on    on    on    on    on
/password/reset/sent/                  POST   200   on    on    on    on    on    on    on    on
/password/reset/<uidb64>/<token>/      GET    200   200   200   200   200   200   200   200   200
/password/reset/<uidb64>/<token>/      POST   200   200   200   200   200   200   200   200   200
/password/set/                         GET    in    on    on    on    on    on    on    on    on
/password/set/                         POST   in    on    on    on    on    on    on    on    on
/me/                                   GET    in    200   200   200   200   200   200   200   200
/me/                                   POST   in    on    on    on    on    on    on    on    on
/me/messages/                          GET    in    200   200   work  work  work  work  work  work
/me/messages/                          POST   in    on    on    work  work  work  work  work  work
/me/messages/browser/                  GET    in    on    on    work  work  work  work  work  work
/me/messages/browser/                  POST   in    on    on    work  work  work  work  work  work
/me/messages/browser/off/              GET    in    on    on    work  work  work  work  work  work
/me/messages/browser/off/              POST   in    on    on    work  work  work  work  work  work
/me/password/                          GET    in    200   200   200   200   200   200   200   200
/me/password/                          POST   in    200   200   200   200   200   200   200   200
/me/two-step/on/                       GET    desk  403   403   200   200   200   200   200   200
/me/two-step/on/                       POST   desk  403   403   200   200   200   200   200   200
/me/two-step/off/                      GET    desk  403   403   200   200   200   200   200   200
/me/two-step/off/                      POST   desk  403   403   200   200   200   200   200   200
/me/accounts/<provider>/link/          GET    desk  403   403   on    on    on    on    on    on
/me/accounts/<provider>/link/          POST   desk  403   403   on    on    on    on    on    on
/me/accounts/<provider>/unlink/        GET    desk  403   403   on    on    on    on    on    on
/me/accounts/<provider>/unlink/        POST   desk  403   403   on    on    on    on    on    on
/me/confirm/                           GET    desk  403   403   200   200   200   200   200   200
/me/confirm/                           POST   desk  403   403   200   200   200   200   200   200
/me/two-step/                          GET    desk  403   403   200   200   200   200   200   200
/me/passkeys/add/                      GET    desk  403   403   on    on    on    on    on    on
/me/passkeys/add/                      POST   desk  403   403   on    on    on    on    on    on
/me/passkeys/options/                  POST   desk  403   403   on    on    on    on    on    on
/me/passkeys/<int:pk>/remove/          GET    desk  403   403   on    on    on    on    on    on
/me/passkeys/<int:pk>/remove/          POST   desk  403   403   on    on    on    on    on    on
/me/recovery-codes/                    GET    desk  403   403   on    on    on    on    on    on
/me/recovery-codes/                    POST   desk  403   403   on    on    on    on    on    on
/language/                             POST   on    on    on    on    on    on    on    on    on

/api/v1/                               GET    200   200   200   200   200   200   200   200   200
/api/v1/sign-in/                       POST   400   400   400   400   400   400   400   400   400
/api/v1/interviews/                    GET    401   200   200   200   200   200   200   200   200
/api/v1/interviews/<ref>/              GET    401   200   404   200   404   200   404   200   200
/api/v1/interviews/<ref>/cancellation/ POST   401   201   404   404   404   404   404   404   404
/api/v1/interviews/<ref>/cancellation/ DELETE 401   200   404   404   404   404   404   404   404
/api/v1/interviews/<ref>/booking/      POST   401   409   404   409   404   409   404   403   409
/api/v1/interviews/<ref>/move/         POST   401   409   404   409   404   409   404   403   409
/api/v1/interviews/<ref>/decline/      POST   401   409   404   404   404   404   404   404   404
/api/v1/applications/<ref>/stage/      POST   401   403   403   200   404   200   404   403   200
/api/v1/offers/                        GET    401   200   200   200   200   200   200   200   200
/api/v1/offers/<ref>/acceptance/       POST   401   409   404   404   404   404   404   404   404
/api/v1/offers/<ref>/refusal/          POST   401   200   404   404   404   404   404   404   404
/api/v1/slots/                         GET    401   400   400   200   200   200   200   200   200
/api/v1/slots/                         POST   401   403   403   400   400   400   400   403   400
/api/v1/reasons/                       GET    401   200   200   200   200   200   200   200   200
/api/v1/receipts/<ref>/                GET    200   200   200   200   200   200   200   200   200
/api/v1/cancellations/                 GET    401   403   403   200   200   200   200   200   200
/api/v1/cancellations/<ref>/approval/  POST   401   403   404   403   404   200   404   403   200
/api/v1/cancellations/<ref>/refusal/   POST   401   403   404   403   404   200   404   403   200
/api/v1/interviews/search/             POST   401   403   403   200   200   200   200   200   200
/api/v1/interviews/<ref>/company-cancellation/ POST 401 403 403 201 404   201   404   403   201
/api/v1/company-cancellations/         POST   401   403   403   202   202   202   202   403   202
/api/v1/jobs/<ref>/                    GET    401   403   403   404   404   200   404   404   404
/api/v1/work-items/                    GET    401   403   403   200   200   200   200   200   200
/api/v1/work-items/                    POST   401   403   403   400   400   400   400   403   400
/api/v1/work-items/<ref>/assignment/   GET    401   403   403   200   404   200   404   200   200
/api/v1/work-items/<ref>/assignment/   POST   401   403   403   200   404   200   404   403   200
/api/v1/work-items/<ref>/resolution/   POST   401   403   403   200   404   200   404   403   200
/api/v1/policies/                      GET    401   403   403   403   403   200   200   403   200
/api/v1/history/                       GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/overview/             GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/reasons/              GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/timing/               GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/exits/                GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/attendance/           GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/decisions/            GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/delivery/             GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/quality/              GET    401   403   403   200   200   200   200   200   200
/api/v1/insights/metrics/              GET    401   403   403   200   200   200   200   200   200
/api/schema/                           GET    200   200   200   200   200   200   200   200   200
/api/docs/                             GET    200   200   200   200   200   200   200   200   200
/api/*                                 GET    404   404   404   404   404   404   404   404   404
/api/*                                 POST   404   404   404   404   404   404   404   404   404

/healthz                               GET    200   200   200   200   200   200   200   200   200
/readyz                                GET    503   503   503   503   503   503   503   503   503
/metrics                               GET    200   200   200   200   200   200   200   200   200
/demo/messages/                        GET    404   404   404   404   404   404   404   404   404

/messages/sms/<str:token>/             POST   403   403   403   403   403   403   403   403   403
/messages/mail/                        POST   404   404   404   404   404   404   404   404   404
/messages/off/<str:token>/             GET    200   200   200   200   200   200   200   200   200
/messages/off/<str:token>/             POST   200   200   200   200   200   200   200   200   200
"""

ROLES, EXPECTED = [], {}
for line in filter(None, MATRIX.splitlines()):
    address, method, *cells = line.split()
    if not ROLES:
        ROLES = cells
    else:
        EXPECTED[address, method] = dict(zip(ROLES, cells, strict=True))

BY_RULE = "/admin/"  # see the tests at the end
METHODS = {"page": ["GET", "POST"], "api": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
SEVERAL = {"action": "approve", "receipt": "<waiting>"}
SENT = {
    "/desk/insights/rows/": {"figure": "reasons:candidate|time_conflict"},
    "/interviews/<ref>/room/answers/<int:number>/": {
        "text": "x",
        "base": 0,
        "tab": "x",
        "sequence": 1,
    },
    "/interviews/<ref>/room/go/": {"to": 2},
    "/interviews/<ref>/room/events/": {"kind": "hidden", "detail": {}},
    "/interviews/<ref>/exit/": {"reason": "emergency"},
    "/interviews/<ref>/help/": {"text": "network"},
    "/interviews/<ref>/trouble/": {"kind": "device"},
    "/t/<str:token>/": {"kind": "device"},
    "/interviews/<ref>/help/<ref>/verdict/": {"turn": "<turn>", "helped": "yes"},
    "/desk/several/": SEVERAL,
    "/desk/several/done/": SEVERAL,
    "/desk/interviews/<ref>/follow-up/": {"task": "Call.", "due": "tomorrow", "whom": "me"},
    "/desk/interviews/<ref>/reveal/": {"why": "contact"},
    "/desk/interviews/cancel/": {"references": "7K2M9QX4TB"},
    "/desk/interviews/<ref>/cancel/": {"reason": "hiring_freeze", "step": "confirm"},
    "/desk/interviews/<ref>/correct/": {
        "move": "withdraw",
        "expected": "booked",
        "reason": "They called us.",
        "step": "confirm",
    },
    "/desk/refill/<int:position_id>/offer/": {"slot": "<slot>"},
    "/desk/refill/<int:position_id>/take-off/": {"entry": "<entry>"},
    "/me/": {"language": "en", "time_zone": "Asia/Shanghai"},
    "/interviews/<ref>/cancel/": {"reason": "time_conflict"},
    "/interviews/<ref>/cancel/check/": {"reason": "time_conflict"},
    "/api/v1/interviews/<ref>/cancellation/": {"reason": "time_conflict"},
    "/api/v1/interviews/<ref>/company-cancellation/": {"reason": "hiring_freeze"},
    "/api/v1/interviews/<ref>/booking/": {"slot": 2**62},
    "/api/v1/interviews/<ref>/move/": {"slot": 2**62},
    "/api/v1/interviews/<ref>/decline/": {"reason": "not_interested"},
    "/api/v1/applications/<ref>/stage/": {"stage": "screened"},
    "/api/v1/company-cancellations/": {"reason": "hiring_freeze", "references": ["7K2M9QX4TB"]},
    "/api/v1/work-items/<ref>/assignment/": {"assignee": "me"},
    "/api/v1/work-items/<ref>/resolution/": {"note": "Called them."},
}


def addresses(patterns=None, before="/"):
    """Every address of the resolver, as the table writes it."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + readable(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif route == BY_RULE:
            yield BY_RULE
        else:
            yield from addresses(pattern.url_patterns, route)


def readable(pattern) -> str:
    route = getattr(pattern, "_route", None)
    if route is None:  # the API's catch-all, a regular expression
        return "*"
    return re.sub("<reference:[a-z]+>", "<ref>", str(route))


ADDRESSES = list(addresses())


def test_table_holds_every_address_and_no_other():
    assert {address for address, _ in EXPECTED} | {BY_RULE} == set(ADDRESSES)


@pytest.fixture(scope="module")
def people(django_db_setup, django_db_blocker):
    """Made and signed in once: of what anybody asks for nothing stays."""
    with django_db_blocker.unblock(), database.rolled_back():
        made = made_for_all()
        yield {**made, "cookies": {role: signed_in(made[role]) for role in ROLES}}


def signed_in(user) -> SimpleCookie:
    client = Client()
    if user:
        client.force_login(user)
    return client.cookies


def made_for_all() -> dict[str, Any]:
    department, other_department = DepartmentFactory(), DepartmentFactory()
    position = PositionFactory(department=department)
    booked = InterviewFactory(position=position)
    waiting = CancellationFactory(
        interview__position=position, interview__candidate=booked.candidate
    )
    lead = UserFactory(lead=True, departments=[department])
    return {
        "none": None,
        "alert": alert_of("department", department.pk),
        "owner": booked.candidate.user,
        "other": CandidateFactory().user,
        "recr": UserFactory(recruiter=True, departments=[department]),
        "recr2": UserFactory(recruiter=True, departments=[other_department]),
        "lead": lead,
        "lead2": UserFactory(lead=True, departments=[other_department]),
        "view": UserFactory(viewer=True, departments=[department]),
        "admin": UserFactory(administrator=True),
        "booked": booked,
        "waiting": waiting,
        "sitting": (sitting := in_room(booked)),
        "talk": talk(sitting),
        "work": WorkItemFactory(interview=booked),
        "job": start_job("company_cancel", by=lead, total=0),
        "imports": import_jobs(lead),
        "connections": connections(lead),
        "platform": platform_for(),
        "document": DocumentFactory(application=booked.application),
        "series": SlotSeriesFactory(position=position),
        "closure": Closure.objects.create(
            name="x", first_day="2026-10-01", last_day="2026-10-07", department=department
        ),
        "missed": AbsenceFactory(
            interview__position=position, interview__candidate=booked.candidate
        ),
        "mark": appealed(booked),
        "group": ChatGroup.objects.create(name="HR", url="feishu://abcdefgh/"),
        "draft": Policy.objects.create(name="draft", department=department, is_active=False),
        "offer": offered(booked),
        "action": logged(lead, position),
    }


def offered(booked) -> Offer:
    """A place of the same position, kept for the same candidate."""
    entry = WaitingEntryFactory(position=booked.position, interview__candidate=booked.candidate)
    return OfferFactory(place__slot__position=booked.position, entry=entry)


def in_room(booked) -> Sitting:
    """The same candidate at another interview for the same position, one answer of it spoken."""
    sitting = SittingFactory(
        interview__position=booked.position, interview__candidate=booked.candidate
    )
    answer = sitting.answers.get(number=2)
    Recording.objects.create(answer=answer, content_type="audio/ogg", data=b"OggS", size=4)
    return sitting


def appealed(booked) -> Mark:
    """Held against the same candidate, who has appealed with a file."""
    mark = MarkFactory(
        missed__position=booked.position, missed__candidate=booked.candidate, state="appealed"
    )
    Appeal.objects.create(
        mark=mark, made_at=timezone.now(), file=b"%PDF-", content_type="application/pdf"
    )
    return mark


def talk(sitting) -> HelpConversation:
    """With the assistant, one thing offered."""
    conversation = HelpConversation.objects.create(interview=sitting.interview)
    conversation.turns.create(offer="guide")
    return conversation


def connections(user) -> dict[str, Any]:
    now = timezone.now()
    hook = Webhook.objects.create(name="ATS", url="https://ats.example/", secret="x")
    return {
        "token": ApiToken.objects.create(
            name="ATS", user=user, created_by=user, scopes=[], digest="x", expires_at=now
        ),
        "hook": hook,
        "delivery": hook.deliveries.create(event_id="x", not_before=now, created_at=now),
    }


def import_jobs(user) -> dict[str, str]:
    """Jobs that are over, by the address that shows them."""
    params = {
        "mapping": "template", "import": "AAAAAAAAAA", "undo": "BBBBBBBBBB",
        "rows": 1, "imported": 1, "known": 0, "rejected": 0,
    }  # fmt: skip
    file = encrypt_bytes(",".join(template.titles()).encode())
    made = {
        kind: Job.objects.create(
            kind=kind, requested_by=user, state="done", params=params, file=file
        ).reference
        for kind in ("import", "import_preview", "import_compare")
    }
    return {"undo": made["import"], "compare": made["import_compare"], "": made["import_preview"]}


def path_to(address, method, people) -> str:
    waiting = people["waiting"]
    reference = people["booked"].reference
    if address.endswith(("/keep/", "/follow-up/")) or (
        address.startswith("/api/") and method == "DELETE"
    ):
        reference = waiting.interview.reference
    elif re.search("/room/|/recordings/|/exit/|/again/|<ref>/help/", address):
        reference = people["sitting"].interview.reference
    elif address.startswith("/api/v1/applications/"):
        reference = people["booked"].application.reference
    elif address.startswith("/api/v1/work-items/"):
        reference = people["work"].reference
    elif address.startswith(("/desk/jobs/", "/api/v1/jobs/")):
        reference = people["job"].reference
    elif address.startswith("/desk/settings/imports/"):
        jobs = people["imports"]
        reference = next(jobs[word] for word in ("undo", "compare", "") if word in address)
    elif address.startswith(("/offers/", "/api/v1/offers/")):
        reference = people["offer"].reference
    elif address.startswith("/desk/absences/"):
        reference = people["missed"].reference
    elif address.startswith(("/desk/appeals/", "/record/")):
        reference = people["mark"].reference
    elif address.startswith("/desk/work/"):
        reference = people["work"].reference
    elif address.startswith("/desk/interviews/"):
        reference = people["booked"].reference
    elif address.startswith(("/receipts/", "/desk/", "/api/v1/receipts", "/api/v1/cancellations")):
        reference = waiting.reference
    within = people["document" if "/documents/" in address else "talk"].reference
    filled = address.replace("<ref>", reference, 1).replace("<ref>", within)
    filled = filled.replace("*", "nothing/here/")
    filled = filled.replace("<slug:page>/<slug:table>.<slug:kind>", "overview/funnel.csv")
    filled = filled.replace("<int:answer>", str(FaqEntry.objects.earliest("pk").pk))
    if address.startswith("/o/"):
        filled = filled.replace("<str:token>", token_of(people["offer"].reference))
    if address.startswith("/i/"):
        filled = filled.replace("<str:token>", invitation_token(people["booked"]))
    if address.startswith("/messages/off/"):
        token = signing.dumps(["user:1", "reminders", "email"], salt=unsubscribing.SALT)
        filled = filled.replace("<str:token>", token)
    purpose = links.CONFIRM if address.startswith("/c/") else links.TROUBLE
    filled = filled.replace("<str:token>", links.token_for(people["booked"], purpose))
    if address.startswith("/desk/insights/alerts/"):
        filled = filled.replace("<int:rule_id>", str(AlertRule.objects.earliest("pk").pk))
    filled = filled.replace("<int:alert_id>", str(people["alert"].pk))
    filled = filled.replace("<int:rule_id>", str(ReminderRule.objects.earliest("pk").pk))
    if address.startswith(("/desk/absences/", "/desk/appeals/")):
        filled = filled.replace("<action>", "lift" if "appeals" in address else "excuse")
    filled = filled.replace("<uidb64>", "MQ").replace("<token>", "c0ffee-1234")
    filled = filled.replace("<str:what>", "slots").replace("<str:ext>", "csv")
    filled = filled.replace("<int:policy_id>", str(people["draft"].pk))
    if "/recordings/" in address:
        spoken = people["sitting"].answers.get(number=2)
        filled = filled.replace("<int:answer_id>", str(spoken.pk))
    filled = filled.replace("<int:number>", "2")
    filled = filled.replace("<int:position_id>", str(people["booked"].position.pk))
    if address.startswith("/desk/settings/people/"):
        filled = filled.replace("<int:pk>", str(people["view"].pk))
    if address.startswith("/desk/settings/connections/"):
        for name, made in people["connections"].items():
            filled = filled.replace(f"<int:{name}_id>", str(made.pk)).replace("<action>", "off")
    filled = filled.replace("<int:action_id>", str(people["action"].pk))
    filled = filled.replace("<int:slot_id>", str(people["booked"].slot_id))
    filled = filled.replace("<int:series_id>", str(people["series"].pk))
    filled = filled.replace("<int:closure_id>", str(people["closure"].pk))
    if address.startswith("/desk/calendar/"):
        filled = filled.replace("<action>", "close")
    filled = filled.replace("<event>/<channel>", "cancellation_done/sms")
    filled = filled.replace("<language>", "en")
    filled = filled.replace("<int:group_id>", str(people["group"].pk))
    filled = filled.replace("<slug:action>", "off")
    filled = filled.replace("<slug:slug>", people["platform"].slug)
    if address.startswith("/desk/settings/platforms/"):
        filled = filled.replace("<action>", "off")
    filled = filled.replace("<provider>", "oidc").replace("<provider_id>", "oidc")
    return filled.replace("<action>", "end-sessions").replace("<int:pk>", "1")


def outcome(address, method, role, people) -> str:
    """What this person gets, in the words of the table; nothing of it stays."""
    cache.clear()
    client = Client(headers={"Accept-Language": "en"})
    client.cookies.update(people["cookies"][role])
    known = {
        "<waiting>": people["waiting"].reference,
        "<turn>": str(people["talk"].turns.get().pk),
        "<slot>": str(people["booked"].slot_id),
        "<entry>": people["offer"].entry.reference,
    }
    sent = {
        name: known.get(value, value) if isinstance(value, str) else value
        for name, value in SENT.get(address, {}).items()
    }
    in_json = address.startswith("/api/") or ("/room/" in address and method == "POST")
    kind = {"content_type": "application/json"} if in_json else {}
    with database.rolled_back():
        send = getattr(client, method.lower())
        response = send(path_to(address, method, people), sent, **kind)
    if response.status_code not in {302, 303}:
        return str(response.status_code)
    target = response.url.partition("?")[0]
    places = {"/sign-in/": "in", "/desk/sign-in/": "desk", "/desk/": "work"}
    if address.startswith("/desk/") and target == "/desk/":
        return "on"  # back to the queue, done
    return places.get(target, "on")


@pytest.mark.parametrize(("address", "method"), sorted(EXPECTED))
def test_everybody_gets_what_the_table_says(address, method, people):
    got = {role: outcome(address, method, role, people) for role in ROLES}

    assert got == EXPECTED[address, method]


@pytest.mark.parametrize("address", sorted({address for address, _ in EXPECTED}))
def test_methods_not_in_the_table_do_nothing(address, people):
    methods = METHODS["api" if address.startswith("/api/") else "page"]
    for method in methods:
        if (address, method) in EXPECTED:
            continue
        for role in ["none", "owner", "lead"]:
            got = outcome(address, method, role, people)
            assert got in {"401", "403", "404", "405", "in", "desk", "work"}, (method, role)


# --- The administration, by one rule: administrators only ----------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_administration_opens_to_administrators_only(role, people):
    client = Client()
    client.cookies.update(people["cookies"][role])
    models = [model for model in apps.get_models() if admin.site.is_registered(model)]
    lists = [reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in models]
    assert len(lists) > 5

    for address in [reverse("admin:index"), *lists]:
        response = client.get(address)
        if role == "admin":
            assert response.status_code == 200, address
        else:
            assert response.status_code == 302, address  # to sign in, as somebody else
            assert "sign-in" in response.url or "login" in response.url
