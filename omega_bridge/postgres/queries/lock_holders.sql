-- Who holds what the catalog reader or the record of session {pid} may wait for: ACCESS EXCLUSIVE on any relation, or more than
-- ACCESS SHARE on one of the bridge's own or on alembic_version.
SELECT DISTINCT ON (l.pid) l.pid,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       nullif(a.application_name, ''),
       a.state,
       floor(extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change)))::int,
       nullif(pg_catalog.left(a.query, 400), '<insufficient privilege>'),
       false,
       NULL
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> {pid}
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (l.mode = 'AccessExclusiveLock'
       OR l.mode <> 'AccessShareLock' AND (n.nspname = 'omega_bridge' OR c.relname = 'alembic_version'))
ORDER BY l.pid, n.nspname = 'omega_bridge' DESC
