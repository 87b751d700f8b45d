-- The relations of ours, and alembic_version, that a stranger owns and that bring code of its own to whoever reads them: PostgreSQL
-- evaluates predicates and expressions of indexes and statistics, and CHECKs, while it plans; casts, generated columns, views and
-- children while it reads. {trusted c.relowner} asks whether that role is trusted.
SELECT pg_catalog.format('%I.%I', s.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE (s.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name OR c.oid OPERATOR(pg_catalog.=) {versions})
  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,m,p,f}'::pg_catalog."char"[]) AND NOT {trusted c.relowner}
  AND (c.relkind OPERATOR(pg_catalog.<>) 'r'::pg_catalog."char" OR c.relhassubclass
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
      AND NOT a.attisdropped AND (a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
        OR a.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog."char"))
    OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid
      AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL))
    OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid
      AND k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char")
    OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid OPERATOR(pg_catalog.=) c.oid AND {with expressions}))
ORDER BY 1
