-- Does this database hold everything, by the same list as last time? The gate, and the question; one round trip.
-- What stands in CASE is no condition that the planner would weigh: in a new server process that costs more than reading the catalog.
SELECT 1 OPERATOR(pg_catalog./) CASE WHEN {trusted schema} THEN 1 ELSE 0 END
FROM pg_catalog.pg_namespace n
WHERE CASE WHEN n.nspname OPERATOR(pg_catalog.=) ANY ('{omega_bridge,omega_bridge_sentinel}'::pg_catalog.name[]) THEN true ELSE false END;
SELECT current_user, pg_catalog.current_setting('search_path'), pg_catalog.current_schema(), {there}, w.* FROM omega_bridge.omega_bridge_probe() w
