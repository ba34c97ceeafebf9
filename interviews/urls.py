"""Invitations and the calendar, work in the background, bringing data in, interview platforms, and
what was said in the room."""

from django.urls import path

from interviews.views import (
    calendar,
    calendar_entries,
    documents,
    imports,
    invitations,
    jobs,
    platforms,
    recordings,
)

app_name = "interviews"

urlpatterns = [
    path("i/<str:token>/", invitations.invitation, name="invitation"),
    path("interviews/<reference:reference>/documents/", documents.mine, name="documents"),
    path("desk/interviews/<reference:reference>/documents/", documents.desk, name="desk_documents"),
    path(
        "desk/interviews/<reference:reference>/documents/<reference:document>/",
        documents.read,
        name="read_document",
    ),
    path("desk/calendar/", calendar.week, name="calendar"),
    path("desk/calendar/slots/new/", calendar.new_slot, name="new_slot"),
    path("desk/calendar/slots/<int:slot_id>/", calendar.slot, name="slot"),
    path("desk/calendar/slots/<int:slot_id>/<action>/", calendar.act_on_slot, name="act_on_slot"),
    path("desk/calendar/series/", calendar.all_series, name="all_series"),
    path("desk/calendar/series/new/", calendar.new_series, name="new_series"),
    path("desk/calendar/series/<int:series_id>/", calendar.series, name="series"),
    path("desk/calendar/series/<int:series_id>/end/", calendar.end_series, name="end_series"),
    path("desk/calendar/closures/", calendar.closures, name="closures"),
    path("desk/calendar/closures/new/", calendar.new_closure, name="new_closure"),
    path("desk/calendar/closures/<int:closure_id>/", calendar.closure, name="closure"),
    path(
        "interviews/<reference:reference>/calendar.ics",
        calendar_entries.download,
        name="calendar_entry",
    ),
    path("platforms/<slug:slug>/events/", platforms.events, name="platform_events"),
    path("desk/settings/platforms/", platforms.index, name="platforms"),
    path("desk/settings/platforms/new/", platforms.new, name="new_platform"),
    path("desk/settings/platforms/<slug:slug>/", platforms.platform, name="platform"),
    path("desk/settings/platforms/<slug:slug>/change/", platforms.edit, name="edit_platform"),
    path("desk/settings/platforms/<slug:slug>/<action>/", platforms.act, name="act_on_platform"),
    path(
        "desk/interviews/<reference:reference>/recordings/<int:answer_id>/",
        recordings.listen,
        name="listen",
    ),
    path(
        "desk/interviews/<reference:reference>/recordings/<int:answer_id>/sound/",
        recordings.sound,
        name="sound",
    ),
    path("desk/jobs/", jobs.jobs_list, name="jobs"),
    path("desk/jobs/<reference:reference>/", jobs.job, name="job"),
    path("desk/jobs/<reference:reference>/stop/", jobs.stop, name="stop_job"),
    path("desk/jobs/<reference:reference>/report.csv", jobs.report, name="job_report"),
    path("desk/settings/imports/", imports.imports_list, name="imports"),
    path(
        "desk/settings/imports/template/<str:what>.<str:ext>",
        imports.import_template,
        name="import_template",
    ),
    path("desk/settings/imports/compare/", imports.compare, name="compare"),
    path(
        "desk/settings/imports/compare/<reference:reference>/",
        imports.comparison,
        name="comparison",
    ),
    path(
        "desk/settings/imports/compare/<reference:reference>/report.csv",
        imports.comparison_csv,
        name="comparison_csv",
    ),
    path("desk/settings/imports/<reference:reference>/", imports.preview, name="import_preview"),
    path(
        "desk/settings/imports/<reference:reference>/rejected.csv",
        imports.rejections,
        name="import_rejections",
    ),
    path("desk/settings/imports/<reference:reference>/start/", imports.start, name="start_import"),
    path("desk/settings/imports/<reference:reference>/undo/", imports.undo, name="undo_import"),
]
