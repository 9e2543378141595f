"""The shapes of datasets in the API, shared by the views of this app and of `apps.jobs`."""

from typing import Any

from rest_framework import serializers

from apps.accounts.models import User
from apps.datasets.models import Dataset, Reject


class PersonOutput(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "full_name"]


class RowCountsOutput(serializers.Serializer[Any]):
    """read = loaded + rejected + duplicate; of a refused file nothing is loaded."""

    read = serializers.IntegerField()
    loaded = serializers.IntegerField()
    rejected = serializers.IntegerField()
    duplicate = serializers.IntegerField()


class DatasetOutput(serializers.ModelSerializer):
    rows = RowCountsOutput(source="counts", read_only=True)
    uploaded_by = PersonOutput(read_only=True)
    filename = serializers.CharField(source="original_filename", read_only=True)
    reading = serializers.DictField(
        read_only=True,
        help_text="How the file was read: encoding, delimiter, decimal, date order, header mapping.",
    )
    rejects_by_code = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Dataset
        fields = [
            "id",
            "department",
            "name",
            "description",
            "filename",
            "size_bytes",
            "sha256",
            "on_error",
            "max_reject_share",
            "uploaded_by",
            "uploaded_at",
            "loaded_at",
            "rows",
            "rejects_by_code",
            "reading",
        ]
        read_only_fields = fields


class RejectOutput(serializers.ModelSerializer):
    class Meta:
        model = Reject
        fields = ["line", "column", "value", "code", "message", "hint"]
        read_only_fields = fields
