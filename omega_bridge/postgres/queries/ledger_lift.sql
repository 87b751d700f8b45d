-- The record of an older layout, copied as it is: renaming its tables would wait for everybody who reads them. Who appends waits here
-- for who appends there; from then on the older tables take no entry. {here}: the current schema, for the one state of layout 1.
DO $lift$
DECLARE
  given record;
BEGIN
  IF to_regclass('omega_bridge.chain') IS NOT NULL THEN
    LOCK TABLE omega_bridge.chain IN EXCLUSIVE MODE;
  END IF;
  IF to_regclass('omega_bridge.ledger') IS NOT NULL THEN
    CREATE TRIGGER omega_bridge_older BEFORE INSERT ON omega_bridge.ledger
      FOR EACH STATEMENT EXECUTE FUNCTION omega_bridge.omega_bridge_refuse_change();
    INSERT INTO omega_bridge.omega_bridge_ledger
      SELECT seq, at, driver, event, run, subject, checksum, outcome, detail, previous, hash FROM omega_bridge.ledger ORDER BY seq;
  END IF;
  DELETE FROM omega_bridge.omega_bridge_chain;
  IF to_regclass('omega_bridge.chain') IS NOT NULL THEN
    INSERT INTO omega_bridge.omega_bridge_chain SELECT 3, seq, hash FROM omega_bridge.chain;
    BEGIN
      UPDATE omega_bridge.chain SET layout = 3, hash = 'omega_bridge.omega_bridge_chain';
    EXCEPTION WHEN object_not_in_prerequisite_state THEN  -- a publication FOR ALL TABLES: older releases cannot change it, either
      NULL;
    END;
  ELSE
    INSERT INTO omega_bridge.omega_bridge_chain
      SELECT 3, coalesce(max(seq), 0), coalesce((SELECT hash FROM omega_bridge.omega_bridge_ledger ORDER BY seq DESC LIMIT 1), 'genesis')
      FROM omega_bridge.omega_bridge_ledger;
  END IF;
  IF to_regclass('omega_bridge.states') IS NOT NULL THEN
    INSERT INTO omega_bridge.omega_bridge_states
      SELECT schema, digest, revision, names, token, catalog_digest, steps, data, standing, inspection, question, at FROM omega_bridge.states;
  END IF;
  IF to_regclass('omega_bridge.state') IS NOT NULL THEN
    INSERT INTO omega_bridge.omega_bridge_states
      SELECT {here}, digest, revision, names, token, catalog_digest, steps, data, standing, '[]', {nothing}, at FROM omega_bridge.state
      ON CONFLICT (schema) DO NOTHING;
  END IF;
  IF to_regclass('omega_bridge.catalogs') IS NOT NULL THEN
    INSERT INTO omega_bridge.omega_bridge_catalogs SELECT schema, digest, catalog FROM omega_bridge.catalogs;
  END IF;
  FOR given IN
    SELECT c.relname, a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
    FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = 'omega_bridge'::regnamespace AND c.relname IN ('ledger', 'chain', 'states', 'catalogs') AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('GRANT %s ON omega_bridge.%I TO %s', given.privilege_type, 'omega_bridge_' || given.relname, given.grantee);
  END LOOP;
END $lift$;
REVOKE UPDATE, DELETE, TRUNCATE ON omega_bridge.omega_bridge_ledger FROM PUBLIC;
