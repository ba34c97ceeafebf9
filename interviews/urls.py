"""Work in the background, bringing data in, interview platforms, and what was said in the room."""

from django.urls import path

from interviews.views import calendar_entries, imports, jobs, platforms, recordings

app_name = "interviews"

urlpatterns = [
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
