from django.urls import path

from apps.insights import views

urlpatterns = [path("dashboards/<str:department>", views.DashboardView.as_view(), name="dashboard")]
