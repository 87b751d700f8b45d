-- Does this database hold everything, by the same list as last time? The gate, and the question; one round trip.
SELECT 1 OPERATOR(pg_catalog./) CASE WHEN {trusted schema} THEN 1 ELSE 0 END
FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name;
SELECT current_user, pg_catalog.current_setting('search_path'), {there}, w.* FROM omega_bridge.probe() w
