from django.urls import path

from apps.datasets import views

urlpatterns = [
    path("datasets", views.DatasetListView.as_view(), name="dataset-list"),
    path("datasets/<uuid:dataset_id>/rows", views.DatasetRowsView.as_view(), name="dataset-rows"),
    path("datasets/<uuid:dataset_id>/rows.csv", views.DatasetRowsCsvView.as_view(), name="dataset-rows-csv"),
    path("datasets/<uuid:dataset_id>/rejects", views.DatasetRejectsView.as_view(), name="dataset-rejects"),
    path(
        "datasets/<uuid:dataset_id>/rejects.csv",
        views.DatasetRejectsCsvView.as_view(),
        name="dataset-rejects-csv",
    ),
    path("datasets/<uuid:dataset_id>/profile", views.DatasetProfileView.as_view(), name="dataset-profile"),
    path("datasets/<uuid:dataset_id>/raw", views.DatasetRawView.as_view(), name="dataset-raw"),
    path("schemas", views.SchemaListView.as_view(), name="schema-list"),
    path("schemas/<str:department>", views.SchemaView.as_view(), name="schema-detail"),
    path("schemas/<str:department>/template.csv", views.SchemaTemplateView.as_view(), name="schema-template"),
    path("schemas/<str:department>/mappings", views.SchemaMappingListView.as_view(), name="schema-mapping-list"),
    path(
        "schemas/<str:department>/mappings/<uuid:mapping_id>",
        views.SchemaMappingView.as_view(),
        name="schema-mapping-detail",
    ),
]
