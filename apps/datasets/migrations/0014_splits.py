"""Partitions made of pieces, each filled by who works a split of a large file, and attached together (ADR 14)."""

from django.db import migrations

PIECES = """
CREATE FUNCTION clean_piece_of(parent text, bucket bigint, piece bigint) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT clean_partition_of(parent, bucket) || '$' || piece
$$;

-- Those that were never attached. What is attached goes with its partition.
CREATE FUNCTION clean_pieces_drop(parent text, bucket bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    piece text;
BEGIN
    FOR piece IN
        SELECT relname FROM pg_class
        WHERE relkind = 'r' AND NOT relispartition
        AND starts_with(relname, clean_partition_of(parent, bucket) || '$')
        AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass(quote_ident(parent)))
    LOOP
        EXECUTE format('DROP TABLE %I', piece);
    END LOOP;
END $$;

CREATE FUNCTION clean_piece_make(
    parent text, bucket bigint, dataset_no bigint, first_line bigint, after_line bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    piece bigint := nextval('datasets_clean_bucket');
    own text := clean_piece_of(parent, bucket, piece);
BEGIN
    -- With the checks ATTACH believes, and does not read, that all rows are of this bucket and of these lines.
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I, CONSTRAINT one_bucket CHECK (bucket = %s), '
        'CONSTRAINT its_lines CHECK (line >= %s AND line < %s))',
        own, parent, bucket, first_line, after_line
    );
    EXECUTE format(
        'ALTER TABLE %I ALTER bucket SET DEFAULT %s, ALTER dataset_no SET DEFAULT %s', own, bucket, dataset_no
    );
    EXECUTE format('GRANT INSERT ON %I TO aetherflow_loader', own);
    RETURN piece;
END $$;

CREATE FUNCTION clean_piece_close(parent text, bucket bigint, piece bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE %I ADD PRIMARY KEY (bucket, dataset_no, line)', clean_piece_of(parent, bucket, piece)
    );
END $$;

-- Piece by piece in the order of their lines: from first_lines[n] to before first_lines[n + 1], which is one more.
CREATE FUNCTION clean_pieces_attach(
    parent text, bucket bigint, pieces bigint[], first_lines bigint[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    own text := clean_partition_of(parent, bucket);
    piece text;
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I, CONSTRAINT one_bucket CHECK (bucket = %s)) PARTITION BY RANGE (line)',
        own, parent, bucket
    );
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (bucket, dataset_no, line)', own);
    FOR at IN 1 .. array_length(pieces, 1) LOOP
        piece := clean_piece_of(parent, bucket, pieces[at]);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            own, piece, first_lines[at], first_lines[at + 1]
        );
        EXECUTE format(
            'ALTER TABLE %I DROP CONSTRAINT its_lines, ALTER bucket DROP DEFAULT, ALTER dataset_no DROP DEFAULT', piece
        );
    END LOOP;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, own, bucket);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT one_bucket', own);
    PERFORM clean_pieces_drop(parent, bucket);
END $$;
"""
NO_PIECES = """
DROP FUNCTION clean_pieces_attach(text, bigint, bigint[], bigint[]);
DROP FUNCTION clean_piece_close(text, bigint, bigint);
DROP FUNCTION clean_piece_make(text, bigint, bigint, bigint, bigint);
DROP FUNCTION clean_pieces_drop(text, bigint);
DROP FUNCTION clean_piece_of(text, bigint, bigint);
"""

DROP = """
-- It waits for all who read the department's rows, and everybody who comes meanwhile waits behind it: not for long.
CREATE OR REPLACE FUNCTION clean_partition_drop(parent text, bucket bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', clean_partition_of(parent, bucket));
{pieces}END $$;
"""
PIECES_TOO = """    PERFORM clean_pieces_drop(parent, bucket);
"""


class Migration(migrations.Migration):

    dependencies = [("datasets", "0013_direct_uploads")]

    operations = [
        migrations.RunSQL(PIECES, NO_PIECES),
        migrations.RunSQL(
            DROP.replace("{pieces}", PIECES_TOO),
            DROP.replace("{pieces}", ""),
        ),
    ]
