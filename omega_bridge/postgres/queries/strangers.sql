-- What of the bridge's own is not in trusted hands: the schema, what is in it, and alembic_version; and what hangs on these
-- tables beside our own triggers. {trusted ...} asks whether that role is trusted.
WITH ours AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relrowsecurity, s.nspname FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE (s.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name OR c.oid OPERATOR(pg_catalog.=) {versions})
    AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,m,p,f}'::pg_catalog."char"[])
)
SELECT 'schema omega_bridge', pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text
FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name AND NOT {trusted n.nspowner}
UNION ALL
SELECT pg_catalog.format('%I.%I', c.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
FROM ours c WHERE NOT {trusted c.relowner}
UNION ALL
SELECT pg_catalog.format('%I.%I, which is no plain table', c.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
FROM ours c WHERE c.relkind OPERATOR(pg_catalog.<>) 'r'::pg_catalog."char" AND c.relname OPERATOR(pg_catalog.<>) 'watch'::pg_catalog.name
UNION ALL
SELECT pg_catalog.format('function omega_bridge.%I', p.proname), pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name AND NOT {trusted p.proowner}
UNION ALL
SELECT pg_catalog.format('trigger %I on %I.%I', g.tgname, c.nspname, c.relname), pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text
FROM ours c JOIN pg_catalog.pg_trigger g ON g.tgrelid OPERATOR(pg_catalog.=) c.oid
JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
WHERE NOT g.tgisinternal AND NOT {trusted p.proowner}
UNION ALL
SELECT pg_catalog.format('row security on %I.%I', c.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
FROM ours c WHERE c.relrowsecurity OR EXISTS (SELECT FROM pg_catalog.pg_policy l WHERE l.polrelid OPERATOR(pg_catalog.=) c.oid)
UNION ALL
SELECT pg_catalog.format('rule %I on %I.%I', w.rulename, c.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
FROM ours c JOIN pg_catalog.pg_rewrite w ON w.ev_class OPERATOR(pg_catalog.=) c.oid WHERE c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char"
