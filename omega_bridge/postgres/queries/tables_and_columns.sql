-- Every user table with its columns by number: what a step may have destroyed is seen by comparing two of these.
-- relfilenode changes when a table is truncated or rewritten. What a generated column held is computed from the others.
-- The parent is that of a partition; our own schema is among the tables: a step has no business there.
-- Rows without an oid name the constraints of triggers that wait for the commit; one without a name says that a routine of a user's goes
-- out of its transaction. Of a foreign table the columns hold nothing here; those of a composite type are its attributes.
SELECT c.oid::pg_catalog.int8, n.nspname, c.relname, c.relfilenode::pg_catalog.int8,
       (SELECT i.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits i WHERE c.relispartition AND i.inhrelid OPERATOR(pg_catalog.=) c.oid),
       coalesce(pg_catalog.array_agg(a.attnum ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '{}'),
       coalesce(pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '{}'),
       c.relkind::pg_catalog.text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
  AND NOT a.attisdropped AND a.attgenerated OPERATOR(pg_catalog.=) ''
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,f,c}'::pg_catalog."char"[]) AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
  AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema' AND n.nspname OPERATOR(pg_catalog.!~) '^pg_'
GROUP BY c.oid, n.nspname, c.relname, c.relfilenode, c.relispartition, c.relkind
UNION ALL
SELECT DISTINCT NULL::pg_catalog.int8, n.nspname, c.conname, NULL::pg_catalog.int8, NULL::pg_catalog.int8, NULL::pg_catalog.int2[], NULL::pg_catalog.text[], ''
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_constraint c ON c.oid OPERATOR(pg_catalog.=) t.tgconstraint
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.connamespace
WHERE NOT t.tgisinternal AND t.tginitdeferred
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, '' WHERE {a way out}
