-- Where rows come from and go to beside what a statement names: (kind, name, other name or language, source). Nothing here takes a lock
-- on a table of users: what a view or a default calls is asked of pg_depend, and not of its text.
WITH relations AS MATERIALIZED (
  SELECT c.oid, c.relname::pg_catalog.text AS name FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[]) AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema,pg_toast,omega_bridge}'::pg_catalog.name[])
), routines AS MATERIALIZED (
  SELECT p.oid, p.proname::pg_catalog.text AS name, l.lanname::pg_catalog.text AS language, p.prosrc AS source FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema,omega_bridge}'::pg_catalog.name[])
), named AS MATERIALIZED (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS catalog, oid, name FROM relations
  UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, oid, name FROM routines
)
SELECT 'relation', name, NULL, NULL FROM relations
UNION ALL
SELECT 'routine', name, language, source FROM routines
UNION ALL
SELECT CASE WHEN w.rulename OPERATOR(pg_catalog.=) '_RETURN' THEN 'view' ELSE 'rule' END, r.name, t.name, NULL
FROM pg_catalog.pg_rewrite w JOIN relations r ON r.oid OPERATOR(pg_catalog.=) w.ev_class
JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) w.oid
JOIN named t ON t.catalog OPERATOR(pg_catalog.=) d.refclassid AND t.oid OPERATOR(pg_catalog.=) d.refobjid
UNION ALL
SELECT 'default', r.name, t.name, NULL
FROM pg_catalog.pg_attrdef a JOIN relations r ON r.oid OPERATOR(pg_catalog.=) a.adrelid
JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) a.oid
JOIN named t ON t.catalog OPERATOR(pg_catalog.=) d.refclassid AND t.oid OPERATOR(pg_catalog.=) d.refobjid AND t.oid OPERATOR(pg_catalog.<>) r.oid
UNION ALL
SELECT 'function', p.name, t.name, NULL
FROM routines p JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) p.oid
JOIN named t ON t.catalog OPERATOR(pg_catalog.=) d.refclassid AND t.oid OPERATOR(pg_catalog.=) d.refobjid
UNION ALL
SELECT 'trigger', r.name, p.name, NULL
FROM pg_catalog.pg_trigger g JOIN relations r ON r.oid OPERATOR(pg_catalog.=) g.tgrelid JOIN routines p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'child', r.name, c.name, NULL
FROM pg_catalog.pg_inherits i JOIN relations r ON r.oid OPERATOR(pg_catalog.=) i.inhparent JOIN relations c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid
UNION ALL
SELECT 'cascade', r.name, c.name, NULL
FROM pg_catalog.pg_constraint k JOIN relations r ON r.oid OPERATOR(pg_catalog.=) k.confrelid JOIN relations c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND (k.confdeltype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[]) OR k.confupdtype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog."char"[]))
