"""Keep, in PostgreSQL, who has a word that begins with one or two letters, in the list's order."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

TABLE = """
CREATE TABLE beginnings (
    piece text COLLATE "C" NOT NULL,
    is_other boolean NOT NULL,
    part bigint NOT NULL,
    count integer NOT NULL,
    keys smallint[] NOT NULL,
    PRIMARY KEY (piece, is_other, part)
)"""
"""A row holds, of 4,096 keys that follow one another, those of a beginning: 2 bytes a user.

Those whose name begins so come first in a list: they are apart from all others.
"""

COMMENT = """COMMENT ON TABLE beginnings IS
'Whose words begin with one or two letters; users keeps it up. A key is part * 4096 + one of keys.'
"""

OF = """
CREATE FUNCTION beginnings_of(words text, name text)
RETURNS TABLE (piece text, is_other boolean) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DISTINCT left(word, n), strpos(' ' || name, ' ' || left(word, n)) = 0
    FROM unnest(tsvector_to_array(to_tsvector('simple', words))) AS word,
        generate_series(1, 2) AS n
    WHERE left(word, n) COLLATE "C" ~ '^[a-z0-9]+$' AND length(word) >= n
$$"""

FILL = """
INSERT INTO beginnings AS there (piece, is_other, part, count, keys)
SELECT piece, is_other, key >> 12, count(*), array_agg((key & 4095)::smallint)
FROM {source}, beginnings_of(words, name) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

MORE = """ON CONFLICT (piece, is_other, part) DO UPDATE
SET count = there.count + excluded.count, keys = there.keys || excluded.keys"""

NEW = f"""
CREATE FUNCTION beginnings_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {FILL.format(source="added")} {MORE};
    RETURN NULL;
END $$"""

OLD = """
CREATE FUNCTION beginnings_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE beginnings there SET count = there.count - gone.count,
        keys = ARRAY(SELECT unnest(there.keys) EXCEPT SELECT unnest(gone.keys))
    FROM (
        SELECT piece, is_other, key >> 12 AS part, count(*), array_agg((key & 4095)::smallint) keys
        FROM removed, beginnings_of(words, name) GROUP BY 1, 2, 3
    ) gone
    WHERE (there.piece, there.is_other, there.part) = (gone.piece, gone.is_other, gone.part);
    RETURN NULL;
END $$"""

CHANGED = """
CREATE FUNCTION beginnings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one smallint := (new.key & 4095)::smallint;
BEGIN
    UPDATE beginnings there SET count = there.count - 1, keys = array_remove(there.keys, one)
    FROM (
        SELECT * FROM beginnings_of(old.words, old.name)
        EXCEPT SELECT * FROM beginnings_of(new.words, new.name)
    ) gone
    WHERE (there.piece, there.is_other, there.part) = (gone.piece, gone.is_other, new.key >> 12);
    INSERT INTO beginnings AS there (piece, is_other, part, count, keys)
    SELECT piece, is_other, new.key >> 12, 1, ARRAY[one]
    FROM (
        SELECT * FROM beginnings_of(new.words, new.name)
        EXCEPT SELECT * FROM beginnings_of(old.words, old.name)
    ) come
    ON CONFLICT (piece, is_other, part) DO UPDATE
    SET count = there.count + 1, keys = there.keys || excluded.keys;
    RETURN NULL;
END $$"""

TRIGGERS = (
    """CREATE TRIGGER beginnings_new AFTER INSERT ON users
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION beginnings_new()""",
    """CREATE TRIGGER beginnings_old AFTER DELETE ON users
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION beginnings_old()""",
    """CREATE TRIGGER beginnings_changed AFTER UPDATE OF words, name ON users FOR EACH ROW
    WHEN (old.words <> new.words OR old.name <> new.name) EXECUTE FUNCTION beginnings_changed()""",
)


def upgrade() -> None:
    """Make the table, fill it, and let the users keep it up; SQLite's `begun` gives the same."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for statement in (TABLE, COMMENT, OF, NEW, OLD, CHANGED, *TRIGGERS):
        op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql(FILL.format(source="users"))
