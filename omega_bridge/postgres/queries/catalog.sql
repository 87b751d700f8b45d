-- The live schema as rows (kind, schema, table, name, attributes). {names} is an array of bare names, or NULL for all.
-- Relations are found by their own name; what hangs on them comes along. ACCESS SHARE on catalogs only, index-driven.
WITH schemas AS MATERIALIZED (
  SELECT oid, nspname, nspacl FROM pg_namespace
  WHERE nspname <> 'information_schema' AND nspname OPERATOR(pg_catalog.!~) '^pg_' AND nspname <> ALL ('{omega_bridge,omega_bridge_sentinel}')
), extension_owned AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass::oid
), relations AS MATERIALIZED (
  SELECT c.*, s.nspname AS schema FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
  WHERE {relation_filter} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c', 'i', 'I') AND c.relname <> 'alembic_version'
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
)
SELECT 'schema' AS kind, '' AS schema, '' AS "table", s.nspname::text AS name,
       json_build_object('comment', nullif(obj_description(s.oid, 'pg_namespace'), 'standard public schema'),
         'grants', CASE WHEN s.nspacl IS NULL OR s.nspacl = (SELECT p.initprivs FROM pg_init_privs p WHERE p.objoid = s.oid
                                                             AND p.classoid = 'pg_namespace'::regclass::oid AND p.objsubid = 0) THEN NULL
                   ELSE (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(s.nspacl) g) END) AS attributes
FROM schemas s
UNION ALL
SELECT 'extension', '', '', e.extname, json_build_object('schema', n.nspname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END, c.schema, '', c.relname,
       CASE WHEN c.relkind IN ('v', 'm') THEN
         json_build_object('definition', pg_get_viewdef(c.oid), 'options', c.reloptions,
           'comment', w.description,
           'grants', CASE WHEN c.relacl IS NULL THEN NULL ELSE (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a) END)
       ELSE
         json_build_object('kind', c.relkind, 'persistence', c.relpersistence, 'row_security', c.relrowsecurity,
           'force_row_security', c.relforcerowsecurity, 'options', c.reloptions, 'partition_key', pg_get_partkeydef(c.oid),
           'partition_bound', pg_get_expr(c.relpartbound, c.oid),
           'inherits', (SELECT array_agg(h.inhparent::regclass::text ORDER BY h.inhseqno) FROM pg_inherits h WHERE h.inhrelid = c.oid),
           'comment', w.description,
           'grants', CASE WHEN c.relacl IS NULL THEN NULL ELSE (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a) END)
       END
FROM relations c
LEFT JOIN pg_description w ON w.objoid = c.oid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL
SELECT 'column', t.schema, t.relname, a.attname,
       json_build_object('type', format_type(a.atttypid, a.atttypmod), 'nullable', NOT a.attnotnull,
         'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
         'identity', a.attidentity, 'generated', a.attgenerated,
         'expression', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
         'collation', CASE WHEN a.attcollation <> y.typcollation
           THEN (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                 WHERE co.oid = a.attcollation) END,
         'storage', CASE WHEN a.attstorage <> y.typstorage THEN a.attstorage END,
         'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END, 'options', a.attoptions,
         'position', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum), 'comment', w.description,
         'grants', CASE WHEN a.attacl IS NULL THEN NULL ELSE (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(a.attacl) g) END)
FROM tables t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_description w ON w.objoid = a.attrelid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = a.attnum
UNION ALL
SELECT 'constraint', s.nspname, r.relname, n.conname,
       json_build_object('type', n.contype, 'definition', pg_get_constraintdef(n.oid), 'validated', n.convalidated,
         'deferrable', n.condeferrable, 'deferred', n.condeferred, 'comment', w.description)
FROM pg_constraint n JOIN pg_class r ON r.oid = n.conrelid JOIN schemas s ON s.oid = r.relnamespace
LEFT JOIN pg_description w ON w.objoid = n.oid AND w.classoid = 'pg_constraint'::regclass::oid AND w.objsubid = 0
WHERE n.contype IN ('p', 'u', 'f', 'c', 'x') AND r.relname <> 'alembic_version' AND {constraint_filter}
  AND r.oid NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_class'::regclass::oid)
UNION ALL
SELECT 'index', s.nspname, '', x.relname,
       json_build_object('table', t.relname, 'definition', pg_get_indexdef(i.indexrelid), 'unique', i.indisunique,
         'valid', i.indisvalid AND i.indisready,
         'constraint', i.indexrelid IN (SELECT k.conindid FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'x')),
         'comment', w.description)
FROM index_ids o JOIN pg_index i ON i.indexrelid = o.oid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid JOIN schemas s ON s.oid = x.relnamespace
LEFT JOIN pg_description w ON w.objoid = i.indexrelid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0
WHERE t.relname <> 'alembic_version'
UNION ALL
SELECT 'sequence', s.nspname, '', c.relname,
       json_build_object('type', format_type(q.seqtypid, NULL), 'start', q.seqstart, 'increment', q.seqincrement,
         'minimum', q.seqmin, 'maximum', q.seqmax, 'cycle', q.seqcycle, 'cache', q.seqcache,
         'owned_by', (SELECT format('%I.%I', oc.relname, oa.attname) FROM pg_depend d JOIN pg_class oc ON oc.oid = d.refobjid
                      JOIN pg_attribute oa ON oa.attrelid = d.refobjid AND oa.attnum = d.refobjsubid
                      WHERE d.classid = 'pg_class'::regclass::oid AND d.objid = q.seqrelid AND d.refclassid = 'pg_class'::regclass::oid
                        AND d.deptype IN ('a', 'i') LIMIT 1),
         'comment', obj_description(q.seqrelid, 'pg_class'))
FROM sequence_ids o JOIN pg_sequence q ON q.seqrelid = o.oid JOIN pg_class c ON c.oid = q.seqrelid JOIN schemas s ON s.oid = c.relnamespace
UNION ALL
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'composite type' END, t.schema, '', t.typname,
       CASE t.typtype
         WHEN 'e' THEN json_build_object('labels', (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
           'comment', obj_description(t.oid, 'pg_type'))
         WHEN 'd' THEN json_build_object('type', format_type(t.typbasetype, t.typtypmod), 'nullable', NOT t.typnotnull,
           'default', pg_get_expr(t.typdefaultbin, 0),
           'constraints', (SELECT json_object_agg(n.conname, pg_get_constraintdef(n.oid) ORDER BY n.conname) FROM pg_constraint n
                           WHERE n.contypid = t.oid AND n.contype = 'c'),
           'comment', obj_description(t.oid, 'pg_type'))
         ELSE json_build_object('attributes', (SELECT array_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
           'comment', obj_description(t.oid, 'pg_type'))
       END
FROM types t
WHERE t.typtype <> 'c' OR EXISTS (SELECT 1 FROM pg_class k WHERE k.oid = t.typrelid AND k.relkind = 'c')
UNION ALL
SELECT 'function', s.nspname, '', format('%s(%s)', f.proname, oidvectortypes(f.proargtypes)),
       json_build_object('kind', f.prokind, 'definition', CASE WHEN f.prokind IN ('f', 'p') THEN pg_get_functiondef(f.oid) END,
         'comment', obj_description(f.oid, 'pg_proc'),
         'grants', CASE WHEN f.proacl IS NULL THEN NULL ELSE (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(f.proacl) a) END)
FROM pg_proc f JOIN schemas s ON s.oid = f.pronamespace
WHERE {function_filter} AND f.oid NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_proc'::regclass::oid)
UNION ALL
SELECT 'trigger', t.schema, t.relname, g.tgname,
       json_build_object('definition', pg_get_triggerdef(g.oid), 'enabled', g.tgenabled, 'comment', obj_description(g.oid, 'pg_trigger'))
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'policy', t.schema, t.relname, p.polname,
       json_build_object('command', p.polcmd, 'permissive', p.polpermissive,
         'roles', (SELECT array_agg(CASE WHEN r OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'public' ELSE pg_get_userbyid(r) END ORDER BY 1) FROM unnest(p.polroles) r),
         'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
         'comment', obj_description(p.oid, 'pg_policy'))
FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
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
  OR n.connamespace NOT IN (SELECT oid FROM schemas)
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
