--- lock: One migrator at a time; the others wait and then find nothing to do.
SELECT pg_advisory_xact_lock(hashtextextended('pyheta.migration', 0));

--- look: Is there a schema `pyheta`, does it hold anything, and is it ours?
SELECT
    to_regnamespace('pyheta') IS NOT NULL AS present,
    EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('pyheta')) AS filled,
    to_regclass('pyheta.migration') IS NOT NULL AS ours;

--- create_schema: Its own statement, because an administrator may have made the schema already.
CREATE SCHEMA pyheta;

--- create_migration: Which migrations this database has seen.
CREATE TABLE pyheta.migration (
    version int PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

--- version: The newest migration applied; 0 before the first.
SELECT coalesce(max(version), 0) FROM pyheta.migration;

--- record: Remember an applied migration.
INSERT INTO pyheta.migration (version, name) VALUES ($1, $2);
