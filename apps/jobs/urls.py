from django.urls import path

from apps.jobs import upload_views, views

urlpatterns = [
    path("datasets/upload", upload_views.UploadView.as_view(), name="dataset-upload"),
    path("datasets/uploads", upload_views.DirectUploadsView.as_view(), name="direct-upload-list"),
    path("datasets/uploads/<uuid:upload_id>", upload_views.DirectUploadView.as_view(), name="direct-upload-detail"),
    path("datasets/uploads/<uuid:upload_id>/parts", upload_views.DirectPartsView.as_view(), name="direct-upload-parts"),
    path(
        "datasets/uploads/<uuid:upload_id>/complete",
        upload_views.DirectCompleteView.as_view(),
        name="direct-upload-complete",
    ),
    path("datasets/<uuid:dataset_id>", views.DatasetDetailView.as_view(), name="dataset-detail"),
    path("dashboards/<str:department>/settings", views.DashboardSettingsView.as_view(), name="dashboard-settings"),
    path("jobs", views.JobListView.as_view(), name="job-list"),
    path("jobs/<uuid:job_id>", views.JobView.as_view(), name="job-detail"),
    path("jobs/<uuid:job_id>/retry", views.JobRetryView.as_view(), name="job-retry"),
    path("system/status", views.SystemStatusView.as_view(), name="system-status"),
    path("health", views.HealthView.as_view(), name="health"),
    path("health/ready", views.ReadinessView.as_view(), name="health-ready"),
]
