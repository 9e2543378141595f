"""A partition of its own knows its bucket and its dataset while it is filled: COPY need not say them in every row."""

from django.db import migrations

MAKE = """
DROP FUNCTION clean_partition_make(text);

CREATE FUNCTION clean_partition_make(parent text, dataset_no bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    bucket bigint := nextval('datasets_clean_bucket');
    own text := clean_partition_of(parent, bucket);
BEGIN
    -- With the check ATTACH believes, and does not read, that all rows are of this bucket.
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I, CONSTRAINT one_bucket CHECK (bucket = %s))', own, parent, bucket
    );
    EXECUTE format(
        'ALTER TABLE %I ALTER bucket SET DEFAULT %s, ALTER dataset_no SET DEFAULT %s', own, bucket, dataset_no
    );
    RETURN bucket;
END $$;
"""

ATTACH = """
CREATE OR REPLACE FUNCTION clean_partition_attach(parent text, bucket bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    own text := clean_partition_of(parent, bucket);
BEGIN
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (bucket, dataset_no, line)', own);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, own, bucket);
    EXECUTE format('ALTER TABLE %I {forgotten}', own);
END $$;
"""
NO_CHECK = "DROP CONSTRAINT one_bucket"
NO_DEFAULTS = "ALTER bucket DROP DEFAULT, ALTER dataset_no DROP DEFAULT"

MAKE_BEFORE = """
DROP FUNCTION clean_partition_make(text, bigint);

CREATE FUNCTION clean_partition_make(parent text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    bucket bigint := nextval('datasets_clean_bucket');
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I, CONSTRAINT one_bucket CHECK (bucket = %s))',
        clean_partition_of(parent, bucket), parent, bucket
    );
    RETURN bucket;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [("datasets", "0006_changes")]

    operations = [
        migrations.RunSQL(MAKE, MAKE_BEFORE),
        migrations.RunSQL(
            ATTACH.replace("{forgotten}", f"{NO_CHECK}, {NO_DEFAULTS}"), ATTACH.replace("{forgotten}", NO_CHECK)
        ),
    ]
