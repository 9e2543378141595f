"""The items that stood in an insight's data, into rows of their own."""

from django.db import migrations

OUT = """
INSERT INTO insights_insightitem (insight_id, rank, severity, score, worth_review, item)
SELECT
    insight.id,
    each.rank,
    CASE jsonb_typeof(each.item -> 'severity') WHEN 'string' THEN each.item ->> 'severity' END,
    CASE jsonb_typeof(each.item -> 'score') WHEN 'number' THEN (each.item ->> 'score')::float8 END,
    CASE jsonb_typeof(each.item -> 'worth_review') WHEN 'boolean' THEN (each.item ->> 'worth_review')::bool END,
    each.item
FROM insights_insight AS insight, jsonb_array_elements(insight.data -> 'items') WITH ORDINALITY AS each (item, rank)
WHERE jsonb_typeof(insight.data -> 'items') = 'array';

UPDATE insights_insight
SET items_total = jsonb_array_length(data -> 'items'), data = data - 'items'
WHERE jsonb_typeof(data -> 'items') = 'array';
"""

BACK = """
UPDATE insights_insight AS insight
SET data = insight.data || jsonb_build_object('items', coalesce(
    (SELECT jsonb_agg(item ORDER BY rank) FROM insights_insightitem WHERE insight_id = insight.id), '[]'
))
WHERE items_total IS NOT NULL;

DELETE FROM insights_insightitem;
"""


class Migration(migrations.Migration):

    dependencies = [("insights", "0002_items")]

    operations = [migrations.RunSQL(OUT, BACK)]
