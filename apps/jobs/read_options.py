"""What an uploader says of a file, as fields of the upload."""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, cast

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from aetherflow.errors import InvalidError
from aetherflow.etl import ReadOptions
from aetherflow.etl.mapping import MOST_LABELS, mapping_faults, parse_mapping
from aetherflow.etl.options import parse_delimiter, parse_encoding
from aetherflow.registry import department as find_department
from aetherflow.seen import in_one_line, seen
from apps.datasets.models import OnError
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
    """A JSON object: as a text in a field of the form, or as itself in JSON."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(json.dumps(data) if isinstance(data, dict) else data)


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


_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@extend_schema_field({"type": "string", "pattern": f"^({_ID})?$"})
class IdField(serializers.UUIDField):
    """Of a form, where an empty field says nothing; of JSON, where an empty text does not either."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values(empty if data == "" else data)


class UploadFields(ReadOptionsInput):
    """Of every way in which a file comes."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    department = serializers.CharField(required=False, allow_blank=True, default="")
    on_error = serializers.ChoiceField(choices=OnError.choices, required=False, default=OnError.QUARANTINE)
    max_reject_share = serializers.FloatField(min_value=0, max_value=1, required=False, default=None)
    corrects = IdField(
        required=False,
        default=None,
        help_text="The dataset that the file completes with rows it rejected, mended: such as its list of rejects.",
    )

    def validate_name(self, name: str) -> str:
        """What cannot be seen goes: one dataset must not pass for another, nor turn the page it is named on."""
        return in_one_line(name).strip()

    def validate_description(self, description: str) -> str:
        return seen(description).strip()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuses what would be dropped silently: a misspelt option, and of a form all but the last of two files."""
        wrong: dict[str, Any] = {}
        for name, values in _said_in(data):
            if name not in self.fields:
                known = ", ".join(self.fields)
                wrong[name] = [ErrorDetail(f"An upload has no such field; it has {known}.", code="unknown-field")]
            elif len(values) > 1:
                wrong[name] = [ErrorDetail(f"It is there {len(values)} times; send it once.", code="repeated-field")]
        try:
            fields: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(cast("dict[str, Any]", error.detail) | wrong) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return fields


def _said_in(data: Any) -> Iterable[tuple[str, list[Any]]]:
    """The fields of a form, or of a JSON object; what is neither has none."""
    if isinstance(data, QueryDict):
        return data.lists()
    return ((str(name), [value]) for name, value in data.items()) if isinstance(data, dict) else ()


def refuse_wrong_mapping(options: ReadOptions, *, department: str) -> None:
    """ValidationError of the field `mapping` where it cannot be followed whatever the file."""
    faults = mapping_faults(options.mapping or {}, department=find_department(department))
    if faults:
        said = [f"{fault.message} {fault.hint}" for fault in faults[:_MOST_FAULTS_SHOWN]]
        raise serializers.ValidationError({"mapping": said}, code="mapping-error")
