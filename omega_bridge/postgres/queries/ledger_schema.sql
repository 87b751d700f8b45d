-- In the bridge's own schema: the ledger, the end of its chain, and one row a schema that says what the last start left.
-- Each bears our name in our schema, too: a guard that looks in every schema for a table ledger or states is about the list's own.
CREATE TABLE IF NOT EXISTS omega_bridge.omega_bridge_ledger (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  driver text NOT NULL,
  event text NOT NULL,
  run uuid NOT NULL,
  subject text NOT NULL,
  checksum text NOT NULL,
  outcome text NOT NULL,
  detail jsonb NOT NULL,
  previous text NOT NULL UNIQUE,
  hash text NOT NULL UNIQUE
);
COMMENT ON TABLE omega_bridge.omega_bridge_ledger IS 'append-only, hash-chained record of what either driver did; check with: omega-bridge ledger verify';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.seq IS 'place in the chain, from 1, without gaps';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.at IS 'when the entry was sealed (UTC)';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.driver IS 'boot or alembic';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.event IS 'step, statement (of a step that no transaction holds together), boot, upgrade, downgrade or stamp';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.run IS 'one boot or one alembic command';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.subject IS 'the step''s id or the revision';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.checksum IS 'checksum of the step''s canonical text';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.outcome IS 'applied, already-there, skipped, failed, no-effect or refused; of a statement: begun, applied; of a boot: current, repaired, degraded, failed';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.detail IS 'objects created and changed, notices, SQLSTATE and message, seconds, place in the source; by: who it was (role, OS user, host, application, release)';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.previous IS 'hash of the entry before; unique, so that the chain cannot fork';
COMMENT ON COLUMN omega_bridge.omega_bridge_ledger.hash IS 'l1: SHA-256 over every field above';
CREATE TABLE IF NOT EXISTS omega_bridge.omega_bridge_chain (
  layout integer PRIMARY KEY,
  seq bigint NOT NULL,
  hash text NOT NULL
);
COMMENT ON TABLE omega_bridge.omega_bridge_chain IS 'one row: the end of the ledger''s chain, so that a ledger that was cut or emptied is seen; who appends holds this row';
COMMENT ON COLUMN omega_bridge.omega_bridge_chain.layout IS 'version of the tables in this schema; an older release does not write into a newer one';
COMMENT ON COLUMN omega_bridge.omega_bridge_chain.seq IS 'the last entry''s place';
COMMENT ON COLUMN omega_bridge.omega_bridge_chain.hash IS 'the last entry''s hash';
INSERT INTO omega_bridge.omega_bridge_chain
SELECT 3, coalesce(max(seq), 0), coalesce((SELECT hash FROM omega_bridge.omega_bridge_ledger ORDER BY seq DESC LIMIT 1), 'genesis') FROM omega_bridge.omega_bridge_ledger
HAVING NOT EXISTS (SELECT FROM omega_bridge.omega_bridge_chain);
CREATE TABLE IF NOT EXISTS omega_bridge.omega_bridge_states (
  schema text PRIMARY KEY,
  digest text NOT NULL,
  revision text,
  names text[] NOT NULL,
  token text NOT NULL,
  catalog_digest text NOT NULL,
  steps jsonb NOT NULL,
  data jsonb NOT NULL,
  standing jsonb NOT NULL,
  inspection jsonb NOT NULL,
  question text NOT NULL,
  at timestamptz NOT NULL
);
ALTER TABLE omega_bridge.omega_bridge_states ALTER COLUMN steps SET STORAGE EXTERNAL;
COMMENT ON TABLE omega_bridge.omega_bridge_states IS 'what the last start (or alembic upgrade head) left in a schema: the next start there compares and, where nothing changed, does nothing';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.schema IS 'current_schema() of the start on connecting';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.digest IS 'of the list, the models and the exported head';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.revision IS 'the alembic revision stamped with it';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.names IS 'every identifier that the list and the models name';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.token IS 'fingerprint of the catalog rows behind those names';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.catalog_digest IS 'digest of the meaning of those rows';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.steps IS 'the steps it was made by: id, checksum, additive';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.data IS 'the data steps that a start runs, with the question that tells whether one would change anything';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.standing IS 'steps that stand failed, refused or without effect, with the reason';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.inspection IS 'what the inspection found of the critical tables';
COMMENT ON COLUMN omega_bridge.omega_bridge_states.question IS 'what a start asks: the columns above as constants, and the fingerprint as it is now';
CREATE TABLE IF NOT EXISTS omega_bridge.omega_bridge_catalogs (
  schema text PRIMARY KEY,
  digest text NOT NULL,
  catalog bytea NOT NULL
);
COMMENT ON TABLE omega_bridge.omega_bridge_catalogs IS 'what the last start saw of the objects behind those names, so that drift can say what has changed since';
COMMENT ON COLUMN omega_bridge.omega_bridge_catalogs.schema IS 'of the state that it belongs to';
COMMENT ON COLUMN omega_bridge.omega_bridge_catalogs.digest IS 'its catalog_digest; where the two differ, this row is of an earlier start';
COMMENT ON COLUMN omega_bridge.omega_bridge_catalogs.catalog IS 'JSON, one object a row, compressed (zlib)';
CREATE OR REPLACE FUNCTION omega_bridge.omega_bridge_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $refuse$
BEGIN
  RAISE EXCEPTION 'omega_bridge.omega_bridge_ledger is append-only: % is barred', TG_OP
    USING ERRCODE = 'insufficient_privilege', HINT = 'What was done stays on record. See docs/security.md.';
END $refuse$;
COMMENT ON FUNCTION omega_bridge.omega_bridge_refuse_change() IS 'called by the ledger''s trigger: entries are added, and never changed or removed';
CREATE OR REPLACE FUNCTION omega_bridge.omega_bridge_answer() RETURNS TABLE (versions text, told text, token_1 numeric, token_2 numeric, token_3 numeric, token_4 numeric, token_5 numeric, token_6 numeric, token_7 numeric, token_8 numeric, token_9 numeric, token_10 numeric, token_11 numeric, token_12 numeric) LANGUAGE plpgsql STABLE AS $answer$
DECLARE
  asked text;
BEGIN
  SELECT s.question INTO asked FROM omega_bridge.omega_bridge_states s 
    WHERE s.schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema()::pg_catalog.text, '');
  IF asked IS NOT NULL THEN
    RETURN QUERY EXECUTE asked;
  END IF;
END $answer$;
COMMENT ON FUNCTION omega_bridge.omega_bridge_answer() IS 'called by omega_bridge_probe() where more than one schema has a state: it asks the question of the current one';
DO $trigger$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'omega_bridge.omega_bridge_ledger'::regclass AND tgname = 'omega_bridge_append_only') THEN
    CREATE TRIGGER omega_bridge_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON omega_bridge.omega_bridge_ledger
      FOR EACH STATEMENT EXECUTE FUNCTION omega_bridge.omega_bridge_refuse_change();
    ALTER TABLE omega_bridge.omega_bridge_ledger ENABLE ALWAYS TRIGGER omega_bridge_append_only;
  END IF;
END $trigger$;
REVOKE UPDATE, DELETE, TRUNCATE ON omega_bridge.omega_bridge_ledger FROM PUBLIC, CURRENT_USER;
