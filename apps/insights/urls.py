from django.urls import path

from apps.insights.views import dashboards, items, reviews

urlpatterns = [
    path("dashboards/<str:department>", dashboards.DashboardView.as_view(), name="dashboard"),
    path("insights/help", dashboards.InsightHelpView.as_view(), name="insight-help"),
    path("insights/<uuid:insight_id>", dashboards.InsightView.as_view(), name="insight-detail"),
    path("insights/<uuid:insight_id>/items", items.InsightItemsView.as_view(), name="insight-items"),
    path("insights/<uuid:insight_id>/facets", items.InsightFacetsView.as_view(), name="insight-facets"),
    path("insights/<uuid:insight_id>/snoozes", reviews.SnoozeView.as_view(), name="insight-snoozes"),
    path("insights/<uuid:insight_id>/reviews", reviews.ReviewListView.as_view(), name="insight-reviews"),
    path("insights/<uuid:insight_id>/reviews/bulk", reviews.BulkReviewView.as_view(), name="insight-reviews-bulk"),
    path("insights/<uuid:insight_id>/reviews/<uuid:review_id>", reviews.ReviewView.as_view(), name="insight-review"),
]
