-- Every user table with its columns by number: what a step may have destroyed is seen by comparing two of these.
-- relfilenode changes when a table is truncated or rewritten.
SELECT c.oid::int8, n.nspname, c.relname, c.relfilenode::int8,
       coalesce(array_agg(a.attnum ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '{}'),
       coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL), '{}')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'omega_bridge'
GROUP BY c.oid, n.nspname, c.relname, c.relfilenode
