-- A fingerprint of the catalog rows behind a set of names: object id, sub-id and the transaction that wrote the row.
-- Equal tokens mean an unchanged schema; different ones mean "look again". ACCESS SHARE on catalogs only.
-- Source of the premise: every DDL writes new catalog rows; ANALYZE and VACUUM update pg_class in place, keeping xmin
-- (PostgreSQL, vac_update_relstats in src/backend/commands/vacuum.c).
WITH schemas AS MATERIALIZED (
  SELECT oid, xmin FROM pg_namespace
  WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'omega_bridge'
), relations AS MATERIALIZED (
  SELECT c.oid, c.xmin FROM pg_class c
  WHERE c.relname = ANY ({names}) AND c.relnamespace IN (SELECT oid FROM schemas)
), indexes AS MATERIALIZED (
  SELECT i.indexrelid, i.xmin FROM pg_index i WHERE i.indrelid IN (SELECT oid FROM relations)
), types AS MATERIALIZED (
  SELECT t.oid, t.xmin FROM pg_type t
  WHERE t.typname = ANY ({names}) AND t.typnamespace IN (SELECT oid FROM schemas)
), rows (a, b) AS (
  SELECT oid::int8, xmin FROM schemas
  UNION ALL SELECT oid::int8, xmin FROM relations
  UNION ALL SELECT indexrelid::int8, xmin FROM indexes
  UNION ALL SELECT c.oid::int8, c.xmin FROM pg_class c WHERE c.oid IN (SELECT indexrelid FROM indexes)
  UNION ALL SELECT (a.attrelid::int8 << 16) + a.attnum, a.xmin FROM pg_attribute a
    WHERE a.attrelid IN (SELECT oid FROM relations) AND a.attnum > 0
  UNION ALL SELECT d.oid::int8, d.xmin FROM pg_attrdef d WHERE d.adrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT n.oid::int8, n.xmin FROM pg_constraint n WHERE n.conrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT g.oid::int8, g.xmin FROM pg_trigger g WHERE g.tgrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT p.oid::int8, p.xmin FROM pg_policy p WHERE p.polrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT (e.objoid::int8 << 16) + e.objsubid, e.xmin FROM pg_description e
    WHERE e.objoid IN (SELECT oid FROM relations) AND e.classoid = 'pg_class'::regclass
  UNION ALL SELECT oid::int8, xmin FROM types
  UNION ALL SELECT m.oid::int8, m.xmin FROM pg_enum m WHERE m.enumtypid IN (SELECT oid FROM types)
  UNION ALL SELECT f.oid::int8, f.xmin FROM pg_proc f
    WHERE f.proname = ANY ({names}) AND f.pronamespace IN (SELECT oid FROM schemas)
  UNION ALL SELECT x.oid::int8, x.xmin FROM pg_extension x
)
SELECT concat_ws(':', 't1', count(*), sum(hashint8extended(a, b::text::int8)), current_schemas(false)::text, current_user)
FROM rows
