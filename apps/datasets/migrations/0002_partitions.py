"""Partitions of their own for large datasets, and the owner's functions that make, attach and drop them."""

from django.db import migrations, models

FUNCTIONS = """
CREATE SEQUENCE datasets_clean_bucket AS bigint;

-- Every function is told the parent's name, and works on nothing that is not such a table.
CREATE FUNCTION clean_partition_of(parent text, bucket bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF bucket < 1 OR NOT EXISTS (
        SELECT FROM pg_class WHERE oid = to_regclass(quote_ident(parent)) AND relkind = 'p' AND parent LIKE 'clean\\_%'
    ) THEN
        RAISE EXCEPTION '% is no clean table, or % no bucket of its own', parent, bucket;
    END IF;
    RETURN parent || '$' || bucket;
END $$;

CREATE FUNCTION clean_partition_make(parent text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    bucket bigint := nextval('datasets_clean_bucket');
BEGIN
    -- With the check ATTACH believes, and does not read, that all rows are of this bucket.
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I, CONSTRAINT one_bucket CHECK (bucket = %s))',
        clean_partition_of(parent, bucket), parent, bucket
    );
    RETURN bucket;
END $$;

CREATE FUNCTION clean_partition_attach(parent text, bucket bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    own text := clean_partition_of(parent, bucket);
BEGIN
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (bucket, dataset_no, line)', own);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, own, bucket);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT one_bucket', own);
END $$;

-- It waits for all who read the department's rows, and everybody who comes meanwhile waits behind it: not for long.
CREATE FUNCTION clean_partition_drop(parent text, bucket bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', clean_partition_of(parent, bucket));
END $$;
"""

BACK = """
DROP FUNCTION clean_partition_drop(text, bigint);
DROP FUNCTION clean_partition_attach(text, bigint);
DROP FUNCTION clean_partition_make(text);
DROP FUNCTION clean_partition_of(text, bigint);
DROP SEQUENCE datasets_clean_bucket;
"""


class Migration(migrations.Migration):

    dependencies = [("datasets", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, BACK),
        migrations.AddField(
            model_name="dataset",
            name="rows_bucket",
            field=models.BigIntegerField(default=0, help_text="The partition its clean rows stand in; 0: the shared one."),
        ),
        migrations.CreateModel(
            name="RetiredPartition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("department", models.CharField(max_length=40)),
                ("bucket", models.BigIntegerField(unique=True)),
                ("retired_at", models.DateTimeField()),
            ],
            options={"ordering": ["retired_at"]},
        ),
    ]
