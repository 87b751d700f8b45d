-- Schema, name and oid of the tables of the shape that Alembic gives to its versions, whichever history's: they are no part of a schema.
SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, c.oid
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) 1::pg_catalog.int2
JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.=) 'p'::pg_catalog."char"
WHERE c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" AND c.relnatts OPERATOR(pg_catalog.=) 1::pg_catalog.int2
  AND a.attname OPERATOR(pg_catalog.=) 'version_num'::pg_catalog.name AND a.atttypid OPERATOR(pg_catalog.=) 1043::pg_catalog.oid
  AND k.conname OPERATOR(pg_catalog.=) pg_catalog.concat(c.relname, '_pkc')::pg_catalog.name
ORDER BY 1, 2
