"""The loader's rights on a new partition, and no partition of a department for whom is not in its scope (ADR 11)."""

from django.db import migrations

PARTITION_OF = """
CREATE OR REPLACE FUNCTION clean_partition_of(parent text, bucket bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    scope text := current_setting('aetherflow.scope', true);
BEGIN
    IF bucket < 1 OR NOT EXISTS (
        SELECT FROM pg_class WHERE oid = to_regclass(quote_ident(parent)) AND relkind = 'p' AND parent LIKE 'clean\\_%'
    ) THEN
        RAISE EXCEPTION '% is no clean table, or % no bucket of its own', parent, bucket;
    END IF;
    IF scope IS NULL OR scope <> '*' AND parent <> 'clean_' || scope THEN
        RAISE EXCEPTION '% is not in the scope %', parent, coalesce(scope, '') USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN parent || '$' || bucket;
END $$;
"""
PARTITION_OF_BEFORE = """
CREATE OR REPLACE FUNCTION clean_partition_of(parent text, bucket bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF bucket < 1 OR NOT EXISTS (
        SELECT FROM pg_class WHERE oid = to_regclass(quote_ident(parent)) AND relkind = 'p' AND parent LIKE 'clean\\_%'
    ) THEN
        RAISE EXCEPTION '% is no clean table, or % no bucket of its own', parent, bucket;
    END IF;
    RETURN parent || '$' || bucket;
END $$;
"""

MAKE = """
CREATE OR REPLACE FUNCTION clean_partition_make(parent text, dataset_no bigint) RETURNS bigint
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
{grant}    RETURN bucket;
END $$;
"""
GRANT = """    -- Nobody else has a right on a partition: it is read through its parent, by the parent's policy.
    EXECUTE format('GRANT INSERT ON %I TO aetherflow_loader', own);
"""


class Migration(migrations.Migration):

    dependencies = [("datasets", "0011_upload_tallies")]

    operations = [
        migrations.RunSQL(PARTITION_OF, PARTITION_OF_BEFORE),
        migrations.RunSQL(MAKE.replace("{grant}", GRANT), MAKE.replace("{grant}", "")),
    ]
