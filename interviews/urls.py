"""Work in the background and bringing data in, at the desk."""

from django.urls import path

from interviews.views import imports, jobs

app_name = "interviews"

urlpatterns = [
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
