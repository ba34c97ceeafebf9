"""Cancelling, from both sides."""

from django.urls import path

from cancellations.views import (
    company,
    desk,
    history,
    interviews,
    policies,
    portal,
    public,
    settings,
)

app_name = "cancellations"

urlpatterns = [
    path("interviews/", portal.mine, name="mine"),
    path("interviews/<reference:reference>/", portal.interview, name="interview"),
    path("interviews/<reference:reference>/cancel/", portal.cancel, name="cancel"),
    path("interviews/<reference:reference>/cancel/check/", portal.check, name="check"),
    path("interviews/<reference:reference>/keep/", portal.take_back, name="take_back"),
    path("receipts/", public.check_receipt, name="check_receipt"),
    path("receipts/<reference:reference>/", public.receipt, name="receipt"),
    path("help/", public.help_page, name="help"),
    path("desk/", desk.queue_page, name="queue"),
    path("desk/several/", desk.bulk, name="bulk"),
    path("desk/several/done/", desk.bulk_done, name="bulk_done"),
    path("desk/work/<reference:reference>/", desk.work_item, name="work_item"),
    path("desk/work/<reference:reference>/assign/", desk.assign, name="assign"),
    path("desk/work/<reference:reference>/resolve/", desk.resolve, name="resolve"),
    path("desk/requests/<reference:reference>/", desk.case, name="case"),
    path("desk/requests/<reference:reference>/approve/", desk.approve, name="approve"),
    path("desk/requests/<reference:reference>/decline/", desk.decline, name="decline"),
    path("desk/interviews/", interviews.interviews, name="interviews"),
    path("desk/interviews/views/", interviews.views, name="interview_views"),
    path("desk/interviews/export/", interviews.export, name="interview_export"),
    path("desk/search/", interviews.search, name="search"),
    path("desk/interviews/<reference:reference>/", interviews.interview, name="desk_interview"),
    path(
        "desk/interviews/<reference:reference>/reveal/",
        interviews.reveal,
        name="interview_reveal",
    ),
    path("desk/interviews/cancel/", company.cancel_many, name="company_cancel_many"),
    path(
        "desk/interviews/<reference:reference>/cancel/",
        company.cancel,
        name="company_cancel",
    ),
    path("desk/interviews/<reference:reference>/correct/", company.correct, name="correct"),
    path("desk/history/", history.index, name="history"),
    path("desk/history/verify/", history.verify, name="verify_history"),
    path("desk/history/export/", history.export, name="export_history"),
    path("desk/history/configuration/", history.changes, name="configuration_history"),
    path("desk/history/seals/", history.seals, name="history_seals"),
    path("desk/messages/", desk.inbox, name="inbox"),
    path("desk/settings/", settings.settings, name="settings"),
    path("desk/settings/policies/", policies.index, name="policies"),
    path("desk/settings/policies/new/", policies.new, name="new_policy"),
    path("desk/settings/policies/<int:policy_id>/", policies.policy, name="policy"),
    path("desk/settings/policies/<int:policy_id>/edit/", policies.edit, name="edit_policy"),
    path("desk/settings/policies/<int:policy_id>/switch/", policies.switch, name="switch_policy"),
    path("desk/settings/policies/<int:policy_id>/try/", policies.trial, name="try_policy"),
]
