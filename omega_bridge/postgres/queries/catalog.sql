-- The live schema as rows (kind, schema, table, name, values of its attributes), by a SELECT for each kind (omega_bridge/kinds/question.py).
-- Relations are found by their own name; what hangs on them comes along. ACCESS SHARE on catalogs only, index-driven.
WITH schemas AS MATERIALIZED (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
  WHERE nspname <> 'information_schema' AND nspname OPERATOR(pg_catalog.!~) '^pg_' AND nspname <> ALL ('{omega_bridge,omega_bridge_sentinel}')
), extension_owned AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass::oid
), version_tables AS MATERIALIZED (
  {version_tables}
), relations AS MATERIALIZED (
  SELECT c.*, s.nspname AS schema FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
  WHERE {relation_filter} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c', 'i', 'I') AND c.relname <> 'alembic_version'
    AND c.oid NOT IN (SELECT oid FROM version_tables)
    AND c.relpersistence <> 't' AND (c.oid) NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_class'::regclass::oid)
), tables AS MATERIALIZED (
  SELECT oid, schema, relname, relkind FROM relations WHERE relkind IN ('r', 'p', 'f', 'v', 'm')
), index_ids AS MATERIALIZED (
  SELECT i.indexrelid AS oid FROM pg_index i WHERE i.indrelid IN (SELECT oid FROM tables)
  UNION SELECT oid FROM relations WHERE relkind IN ('i', 'I')
), sequence_ids AS MATERIALIZED (
  SELECT oid FROM relations WHERE relkind = 'S'
  UNION SELECT d.objid FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass::oid AND d.refclassid = 'pg_class'::regclass::oid
      AND d.refobjid IN (SELECT oid FROM tables) AND d.deptype IN ('a', 'i')
), types AS MATERIALIZED (
  SELECT t.*, s.nspname AS schema FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace
  WHERE {type_filter} AND t.typtype IN ('e', 'd', 'c')
    AND t.oid NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_type'::regclass::oid)
), not_nulls AS MATERIALIZED (
  -- What holds less than NOT NULL says, or has a comment; constraints of their own from 18 on.
  SELECT n.conrelid, n.conkey[1] AS attnum, n.connoinherit, n.convalidated, w.description FROM pg_constraint n
  LEFT JOIN pg_description w ON w.objoid = n.oid AND w.classoid = 'pg_constraint'::regclass::oid
  WHERE n.contype = 'n' AND n.conrelid IN (SELECT oid FROM tables) AND (n.connoinherit OR NOT n.convalidated OR w.description IS NOT NULL)
)
{arms}
UNION ALL
-- What has one of the names and is left out above: of the system, of extensions, of other kinds. A look-up may find it all the same.
SELECT 'hidden', '', 'pg_class', c.relname, NULL FROM pg_class c
WHERE {hidden_relation_filter} AND c.oid NOT IN (SELECT oid FROM relations)
UNION ALL
SELECT 'hidden', '', 'pg_type', t.typname, NULL FROM pg_type t
WHERE {hidden_type_filter} AND t.oid NOT IN (SELECT oid FROM types)
  AND NOT (t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM relations))
UNION ALL
SELECT 'hidden', '', 'pg_proc', f.proname, NULL FROM pg_proc f
WHERE {hidden_function_filter} AND (f.pronamespace NOT IN (SELECT oid FROM schemas)
  OR f.oid IN (SELECT objid FROM extension_owned WHERE classid = 'pg_proc'::regclass::oid))
UNION ALL
SELECT 'hidden', '', 'pg_constraint', n.conname, NULL FROM pg_constraint n
WHERE {hidden_constraint_filter} AND (n.contype NOT IN ('p', 'u', 'f', 'c', 'x') OR n.conrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
  OR n.connamespace NOT IN (SELECT oid FROM schemas) OR n.conparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
  OR n.conrelid IN (SELECT objid FROM extension_owned WHERE classid = 'pg_class'::regclass::oid))
UNION ALL
SELECT 'hidden', '', 'pg_trigger', g.tgname, NULL FROM pg_trigger g
WHERE {hidden_trigger_filter} AND (g.tgisinternal OR g.tgrelid NOT IN (SELECT oid FROM tables))
UNION ALL
SELECT 'hidden', '', 'pg_policy', p.polname, NULL FROM pg_policy p
WHERE {hidden_policy_filter} AND p.polrelid NOT IN (SELECT oid FROM tables)
UNION ALL
-- The information schema shows what a role owns, or may use; it shows everything of what is here where the role has the owners' rights.
SELECT 'session', '', '', '', json_build_object('search_path', current_schemas(false), 'version', current_setting('server_version_num')::int,
  'sees_all', NOT EXISTS (SELECT 1 FROM relations c WHERE NOT pg_has_role(c.relowner, 'USAGE'))
    AND NOT EXISTS (SELECT 1 FROM schemas s WHERE NOT has_schema_privilege(s.oid, 'USAGE')))
UNION ALL
-- Of which other tables inherit, named or not: what is changed in such a one is changed in them.
SELECT 'hidden', '', 'pg_inherits', c.relname, NULL FROM relations c WHERE c.relkind = 'r' AND c.relhassubclass
