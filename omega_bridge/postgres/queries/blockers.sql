-- On a session of our own, with pg_catalog alone in its path. Who keeps the session {pid} waiting, with the relation that it waits for. An autovacuum worker has no user; whether it is one
-- (backend_type) and what it does, only a superuser and members of pg_read_all_stats may see.
SELECT b.pid,
       (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
        FROM pg_catalog.pg_locks w JOIN pg_catalog.pg_class c ON c.oid = w.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE w.pid = {pid} AND (NOT w.granted OR w.locktype = 'tuple') ORDER BY w.granted LIMIT 1),
       nullif(a.application_name, ''),
       a.state,
       floor(extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change)))::int,
       nullif(pg_catalog.left(a.query, 400), '<insufficient privilege>'),
       coalesce(a.backend_type = 'autovacuum worker', a.pid IS NOT NULL AND a.usesysid IS NULL),
       (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout')
FROM (SELECT DISTINCT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS pid) b
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
ORDER BY a.xact_start, b.pid
