"""Work in the background, at the desk."""

from django.urls import path

from interviews.views import jobs

app_name = "interviews"

urlpatterns = [
    path("desk/jobs/", jobs.jobs_list, name="jobs"),
    path("desk/jobs/<reference:reference>/", jobs.job, name="job"),
    path("desk/jobs/<reference:reference>/stop/", jobs.stop, name="stop_job"),
    path("desk/jobs/<reference:reference>/report.csv", jobs.report, name="job_report"),
]
