"""JSON as the console's pages show it: indented, in no colours, for which unfold would write a style onto each word."""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString


def shown_json(data: Any, encoder: type[json.JSONEncoder] | None) -> SafeString:
    text = json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, cls=encoder)
    return format_html('<pre class="json">{}</pre>', text)
