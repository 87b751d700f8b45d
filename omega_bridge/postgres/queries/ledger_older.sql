-- What older layouts had, taken away where nobody uses it now; who reads it, or hangs a view on it, keeps it until a later start comes by.
-- Then a type of a name of theirs: a release that knows no other layout cannot make its tables beside ours, and ends there.
DO $older$
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  DROP VIEW IF EXISTS omega_bridge.watch;
  DROP TABLE IF EXISTS omega_bridge.ledger, omega_bridge.chain, omega_bridge.states, omega_bridge.catalogs, omega_bridge.state;
  DROP FUNCTION IF EXISTS omega_bridge.probe(), omega_bridge.probe_elsewhere(), omega_bridge.answer(), omega_bridge.refuse_change();
EXCEPTION WHEN lock_not_available OR deadlock_detected OR dependent_objects_still_exist OR insufficient_privilege THEN
  NULL;
END $older$;
DO $bar$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = 'omega_bridge'::regnamespace AND typname = 'catalogs') THEN
    CREATE TYPE omega_bridge.catalogs AS ENUM ();
    COMMENT ON TYPE omega_bridge.catalogs IS 'bars a release of omega-bridge that knows older tables alone from making them here';
  END IF;
END $bar$;
