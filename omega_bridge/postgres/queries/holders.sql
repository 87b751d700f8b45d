-- Who holds locks, now: where nobody is left whom a session could be asked about, or its pooler has no second connection on which to ask.
-- {pid}: the session that is not meant. {which}: which locks count, of l, on which relation c in which schema n; {first}: the one to tell.
SELECT DISTINCT ON (l.pid) l.pid,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       nullif(a.application_name, ''),
       a.state,
       floor(extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change)))::int,
       nullif(pg_catalog.left(a.query, 400), '<insufficient privilege>'),
       coalesce(a.backend_type = 'autovacuum worker', a.pid IS NOT NULL AND a.usesysid IS NULL),
       NULL
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid IS DISTINCT FROM {pid}
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND {which}
ORDER BY l.pid, {first}
