from django.urls import path

from apps.insights import views

urlpatterns = [
    path("dashboards/<str:department>", views.DashboardView.as_view(), name="dashboard"),
    path("insights/help", views.InsightHelpView.as_view(), name="insight-help"),
    path("insights/<uuid:insight_id>", views.InsightView.as_view(), name="insight-detail"),
    path("insights/<uuid:insight_id>/items", views.InsightItemsView.as_view(), name="insight-items"),
    path("insights/<uuid:insight_id>/reviews", views.ReviewListView.as_view(), name="insight-reviews"),
    path("insights/<uuid:insight_id>/reviews/bulk", views.BulkReviewView.as_view(), name="insight-reviews-bulk"),
    path("insights/<uuid:insight_id>/reviews/<uuid:review_id>", views.ReviewView.as_view(), name="insight-review"),
]
