-- How large each table is: rows as the planner estimates them (NULL where it was never analysed), bytes with indexes and what is stored apart.
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
       CASE WHEN c.reltuples >= 0 AND (c.reltuples > 0 OR c.relpages > 0 OR pg_catalog.pg_relation_size(c.oid) = 0)
            THEN c.reltuples::pg_catalog.int8 END,
       pg_catalog.pg_total_relation_size(c.oid)::pg_catalog.int8
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'omega_bridge')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY 1, 2
