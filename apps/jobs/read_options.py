"""What an uploader says of a file, as fields of the upload's form."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aetherflow.errors import InvalidError
from aetherflow.etl import ReadOptions
from aetherflow.etl.mapping import MOST_LABELS, mapping_faults, parse_mapping
from aetherflow.etl.options import parse_delimiter, parse_encoding
from aetherflow.registry import department as find_department
from apps.datasets.serializers import DATE_ORDERS, DECIMALS, SCALES

_MOST_FAULTS_SHOWN = 20


class ParsedField(serializers.CharField):
    """A text the domain makes something of, and refuses in its own words; an empty one says nothing."""

    def __init__(self, *, parse: Callable[[str], Any], **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", **options)
        self.parse = parse

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            return self.parse(text)
        except InvalidError as error:
            raise serializers.ValidationError(f"{error.message} {error.hint}", code=error.code) from None


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "null"]}})
class MappingField(ParsedField):
    """A JSON object in a field of the form."""


class ReadOptionsInput(serializers.Serializer[Any]):
    """Gathers its fields in `options`, a ReadOptions."""

    delimiter = ParsedField(
        parse=parse_delimiter,
        trim_whitespace=False,
        help_text="What separates the columns: one character, or comma, semicolon, tab or pipe. Found if left out.",
    )
    encoding = ParsedField(
        parse=parse_encoding,
        help_text="Such as utf-8 or cp1252. Found if left out; a byte order mark wins over it.",
    )
    decimal = serializers.ChoiceField(
        choices=DECIMALS, required=False, allow_blank=True, default="", help_text="The decimal sign of numbers."
    )
    date_order = serializers.ChoiceField(
        choices=DATE_ORDERS,
        required=False,
        allow_blank=True,
        default="",
        help_text="How days such as 03/04/2026 are meant; ISO days (2026-04-03) are always understood.",
    )
    percentages = serializers.ChoiceField(
        choices=SCALES,
        required=False,
        allow_blank=True,
        default="",
        help_text="Whether percentages are written in percent (15) or as shares of 1 (0.15).",
    )
    sheet = serializers.CharField(
        max_length=255, required=False, allow_blank=True, default="", help_text="The name of the sheet of a workbook."
    )
    mapping = MappingField(
        parse=parse_mapping,
        help_text="From labels of the header to columns of the department, as JSON; it wins over names and aliases. "
        "null leaves a label's column out on purpose. Once the file has loaded it is remembered for the "
        "department's files with the same labels that come without one; {} goes by names and aliases alone. At most "
        f"{MOST_LABELS} labels.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        said = {each.name: attrs.pop(each.name) for each in fields(ReadOptions)}
        return attrs | {"options": ReadOptions(**{name: value for name, value in said.items() if value != ""})}


def refuse_wrong_mapping(options: ReadOptions, *, department: str) -> None:
    """ValidationError of the field `mapping` where it cannot be followed whatever the file."""
    faults = mapping_faults(options.mapping or {}, department=find_department(department))
    if faults:
        said = [f"{fault.message} {fault.hint}" for fault in faults[:_MOST_FAULTS_SHOWN]]
        raise serializers.ValidationError({"mapping": said}, code="mapping-error")
