"""The shapes of datasets in the API, shared by the views of this app and of `apps.jobs`."""

from typing import Any, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aetherflow.columns import Kind
from aetherflow.etl.drift import Severity
from apps.accounts.models import User
from apps.datasets.models import Dataset, HeaderMapping, Reject
from apps.datasets.selectors import superseding

DECIMALS = [".", ","]
DATE_ORDERS = ["day-first", "month-first", "year-first"]
SCALES = ["percent", "share"]


class MappingOutput(serializers.DictField):
    """From a label of the header to a column; null leaves the label's column out."""

    child = serializers.CharField(allow_null=True)


KINDS = list(get_args(Kind))
SEVERITIES = list(get_args(Severity))


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


class ReadOptionsOutput(serializers.Serializer[Any]):
    """What the uploader said of the file; what is not there was found by looking at it."""

    delimiter = serializers.CharField(required=False)
    encoding = serializers.CharField(required=False)
    decimal = serializers.ChoiceField(choices=DECIMALS, required=False)
    date_order = serializers.ChoiceField(choices=DATE_ORDERS, required=False)
    percentages = serializers.ChoiceField(choices=SCALES, required=False)
    sheet = serializers.CharField(required=False)
    mapping = MappingOutput(required=False)


class HeaderMappingOutput(serializers.ModelSerializer):
    """A remembered mapping: it is used for the department's files with these labels that come without one."""

    header = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The labels of the file it was given with."
    )
    mapping = MappingOutput(read_only=True)
    given_by = PersonOutput(read_only=True)

    class Meta:
        model = HeaderMapping
        fields = ["id", "department", "header", "mapping", "given_by", "given_at"]
        read_only_fields = fields


class RejectTotalsOutput(serializers.Serializer[Any]):
    """All that was rejected, and how much of it is kept in detail: lines up to `limit` faults, none in part."""

    rows = serializers.IntegerField(help_text="Lines with a fault, duplicates among them.")
    faults = serializers.IntegerField(help_text="A line may have several.")
    listed_rows = serializers.IntegerField(help_text="Lines in the list of rejects and its CSV.")
    listed = serializers.IntegerField(help_text="Faults in the list; of one line at most 20 are.")
    limit = serializers.IntegerField(allow_null=True, help_text="In faults; null before the file was read.")
    cut = serializers.BooleanField(help_text="There are rejected lines that are not in the list.")


class ColumnRejectsOutput(serializers.Serializer[Any]):
    """Faults of one column and code, listed or not."""

    column = serializers.CharField(allow_null=True, help_text="The department's; null for none of its, or a whole row.")
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="The header as it stands in the file; null for a fault of a whole row."
    )
    code = serializers.CharField()
    count = serializers.IntegerField()


class CorrectionOutput(serializers.ModelSerializer):
    """An upload that brings rejected rows of another one mended."""

    rows = RowCountsOutput(source="counts", read_only=True)

    class Meta:
        model = Dataset
        fields = ["id", "name", "uploaded_at", "loaded_at", "rows"]
        read_only_fields = fields


class ChangesOutput(serializers.Serializer[Any]):
    """new + changed + unchanged = loaded."""

    new = serializers.IntegerField(help_text="Rows whose natural key no earlier upload had.")
    changed = serializers.IntegerField(
        help_text="Rows that say something else than the newest earlier one of their key."
    )
    unchanged = serializers.IntegerField(help_text="Rows that say the same as the newest earlier one of their key.")
    superseded = serializers.IntegerField(
        help_text="Rows of earlier uploads that counted before and do not any more: changed + unchanged."
    )


class DatasetOutput(serializers.ModelSerializer):
    rows = RowCountsOutput(source="counts", read_only=True)
    changes = ChangesOutput(
        read_only=True,
        allow_null=True,
        help_text="What the last load changed of what counted then. null before the first load, and where an earlier "
        "upload was loaded before the platform counted changes.",
    )
    uploaded_by = PersonOutput(read_only=True)
    filename = serializers.CharField(source="original_filename", read_only=True)
    read_options = ReadOptionsOutput(read_only=True)
    reading = serializers.DictField(
        read_only=True,
        help_text="How the file was read: encoding, delimiter, decimal, date order, header mapping and where it came "
        "from (`mapping_from`: upload, remembered or none), columns left out or not known, and what the latter may "
        "have meant (`suggestions`).",
    )
    rejects = RejectTotalsOutput(source="reject_totals", read_only=True)
    rejects_by_code = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    rejects_by_column = ColumnRejectsOutput(many=True, read_only=True, help_text="The commonest first.")
    corrections = CorrectionOutput(source="live_corrections", many=True, read_only=True)
    corrected = serializers.IntegerField(
        read_only=True, help_text="Rows that corrections have brought; `rows` counts those of this file alone."
    )

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
            "read_options",
            "uploaded_by",
            "uploaded_at",
            "loaded_at",
            "rows",
            "rejects",
            "changes",
            "rejects_by_code",
            "rejects_by_column",
            "corrects",
            "corrections",
            "corrected",
            "reading",
        ]
        read_only_fields = fields


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]}, component_name="Cell")
class CellField(serializers.Field):
    """A cell's value: a number, or a text, which for a day is its ISO date."""

    def to_representation(self, value: str | float) -> str | float:
        return value


class FrequentValueOutput(serializers.Serializer[Any]):
    value = CellField()
    rows = serializers.IntegerField(help_text="At least so many; see `top_short_by`.")


class HistogramBarOutput(serializers.Serializer[Any]):
    """The first bar begins at its low bound, every other one above it; each ends at its high bound."""

    low = CellField()
    high = CellField()
    rows = serializers.IntegerField()


class QuantilesOutput(serializers.Serializer[Any]):
    """The smallest value that so many percent of the values do not exceed."""

    p01 = CellField()
    p05 = CellField()
    p25 = CellField()
    p50 = CellField()
    p75 = CellField()
    p95 = CellField()
    p99 = CellField()


class ColumnProfileOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    rows = serializers.IntegerField()
    nulls = serializers.IntegerField(help_text="Rows whose cell is empty.")
    distinct = serializers.IntegerField(help_text="Different values.")
    distinct_is_estimate = serializers.BooleanField()
    distinct_error = serializers.FloatField(help_text="Relative standard error of `distinct`; 0 where it is exact.")
    # The API says `min` and `max` of a column; null where every cell is empty.
    min = CellField(allow_null=True)
    max = CellField(allow_null=True)
    shortest = serializers.IntegerField(allow_null=True, help_text="Characters of the shortest text.")
    longest = serializers.IntegerField(allow_null=True, help_text="Characters of the longest text.")
    mean = serializers.FloatField(allow_null=True)
    std = serializers.FloatField(allow_null=True, help_text="Standard deviation of a sample (n - 1).")
    quantiles = QuantilesOutput(allow_null=True, help_text="Of numbers and days.")
    quantile_error = serializers.FloatField(help_text="How far off a quantile may be, relative to it; 0 where exact.")
    top = FrequentValueOutput(many=True, help_text="The most frequent values, at most ten.")
    top_short_by = serializers.IntegerField(
        help_text="So many rows may be missing from a count in `top`, and a value not in `top` may have. 0 where exact."
    )
    histogram = HistogramBarOutput(many=True, help_text="Of numbers and days: about a tenth of the values a bar.")


class ComparedDatasetOutput(serializers.ModelSerializer):
    class Meta:
        model = Dataset
        fields = ["id", "name", "uploaded_at"]
        read_only_fields = fields


class StabilityOutput(serializers.Serializer[Any]):
    column = serializers.CharField()
    index = serializers.FloatField(help_text="Population stability index (PSI).")
    usual = serializers.FloatField(help_text="Up to this nothing has changed, for so many rows.")


class DriftFlagOutput(serializers.Serializer[Any]):
    column = serializers.CharField(allow_null=True, help_text="null: the whole file.")
    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    message = serializers.CharField()


class DriftOutput(serializers.Serializer[Any]):
    """What has changed since the department's upload before."""

    compared_with = ComparedDatasetOutput(allow_null=True)
    reason = serializers.CharField(help_text="Why nothing was compared; empty where it was.")
    stability = StabilityOutput(many=True)
    flags = DriftFlagOutput(many=True)


class ProfileOutput(serializers.Serializer[Any]):
    """What the columns of the rows hold that were loaded."""

    dataset_id = serializers.UUIDField()
    loaded_at = serializers.DateTimeField()
    rows = serializers.IntegerField()
    columns = ColumnProfileOutput(many=True)
    drift = DriftOutput()


class SupersededByOutput(serializers.Serializer[Any]):
    """A newer upload with rows of the same natural keys."""

    dataset = serializers.UUIDField(source="newer.pk")
    name = serializers.CharField(source="newer.name")
    rows = serializers.IntegerField(help_text="How many of this upload's rows do not count because of it.")


class DatasetDetailOutput(DatasetOutput):
    superseded_by = serializers.SerializerMethodField()

    class Meta(DatasetOutput.Meta):
        fields = [*DatasetOutput.Meta.fields, "superseded_by"]
        read_only_fields = fields

    @extend_schema_field(SupersededByOutput(many=True))
    def get_superseded_by(self, dataset: Dataset) -> Any:
        return SupersededByOutput(superseding(dataset), many=True).data


class RejectOutput(serializers.ModelSerializer):
    class Meta:
        model = Reject
        fields = ["line", "column", "value", "code", "message", "hint"]
        read_only_fields = fields
