-- In the bridge's own schema: the ledger, the end of its chain, and one row a schema that says what the last start left.
-- Also the way up from an older layout: nothing here takes a lock that a plain reader could keep from us.
CREATE TABLE IF NOT EXISTS omega_bridge.ledger (
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
COMMENT ON TABLE omega_bridge.ledger IS 'append-only, hash-chained record of what either driver did; check with: omega-bridge ledger verify';
COMMENT ON COLUMN omega_bridge.ledger.seq IS 'place in the chain, from 1, without gaps';
COMMENT ON COLUMN omega_bridge.ledger.at IS 'when the entry was sealed (UTC)';
COMMENT ON COLUMN omega_bridge.ledger.driver IS 'boot or alembic';
COMMENT ON COLUMN omega_bridge.ledger.event IS 'step, statement (of a step that no transaction holds together), boot, upgrade, downgrade or stamp';
COMMENT ON COLUMN omega_bridge.ledger.run IS 'one boot or one alembic command';
COMMENT ON COLUMN omega_bridge.ledger.subject IS 'the step''s id or the revision';
COMMENT ON COLUMN omega_bridge.ledger.checksum IS 'checksum of the step''s canonical text';
COMMENT ON COLUMN omega_bridge.ledger.outcome IS 'applied, already-there, skipped, failed, no-effect or refused; of a statement: begun, applied; of a boot: current, repaired, degraded, failed';
COMMENT ON COLUMN omega_bridge.ledger.detail IS 'objects created and changed, notices, SQLSTATE and message, seconds, place in the source; by: who it was (role, OS user, host, application, release)';
COMMENT ON COLUMN omega_bridge.ledger.previous IS 'hash of the entry before; unique, so that the chain cannot fork';
COMMENT ON COLUMN omega_bridge.ledger.hash IS 'l1: SHA-256 over every field above';
CREATE TABLE IF NOT EXISTS omega_bridge.chain (
  layout integer NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL
);
COMMENT ON TABLE omega_bridge.chain IS 'one row: the end of the ledger''s chain, so that a ledger that was cut or emptied is seen; who appends holds this row';
COMMENT ON COLUMN omega_bridge.chain.layout IS 'version of the tables in this schema; an older release does not write into a newer one';
COMMENT ON COLUMN omega_bridge.chain.seq IS 'the last entry''s place';
COMMENT ON COLUMN omega_bridge.chain.hash IS 'the last entry''s hash';
INSERT INTO omega_bridge.chain
SELECT 2, coalesce(max(seq), 0), coalesce((SELECT hash FROM omega_bridge.ledger ORDER BY seq DESC LIMIT 1), 'genesis') FROM omega_bridge.ledger
HAVING NOT EXISTS (SELECT FROM omega_bridge.chain);
CREATE TABLE IF NOT EXISTS omega_bridge.states (
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
COMMENT ON TABLE omega_bridge.states IS 'what the last start (or alembic upgrade head) left in a schema: the next start there compares and, where nothing changed, does nothing';
COMMENT ON COLUMN omega_bridge.states.schema IS 'current_schema() of the start on connecting';
COMMENT ON COLUMN omega_bridge.states.digest IS 'of the list, the models and the exported head';
COMMENT ON COLUMN omega_bridge.states.revision IS 'the alembic revision stamped with it';
COMMENT ON COLUMN omega_bridge.states.names IS 'every identifier that the list and the models name';
COMMENT ON COLUMN omega_bridge.states.token IS 'fingerprint of the catalog rows behind those names';
COMMENT ON COLUMN omega_bridge.states.catalog_digest IS 'digest of the meaning of those rows';
COMMENT ON COLUMN omega_bridge.states.steps IS 'the steps it was made by: id, checksum, additive';
COMMENT ON COLUMN omega_bridge.states.data IS 'the data steps that a start runs, with the question that tells whether one would change anything';
COMMENT ON COLUMN omega_bridge.states.standing IS 'steps that stand failed, refused or without effect, with the reason';
COMMENT ON COLUMN omega_bridge.states.inspection IS 'what the inspection found of the critical tables';
COMMENT ON COLUMN omega_bridge.states.question IS 'what a start asks: the columns above as constants, and the fingerprint as it is now';
CREATE TABLE IF NOT EXISTS omega_bridge.catalogs (
  schema text PRIMARY KEY,
  digest text NOT NULL,
  catalog bytea NOT NULL
);
COMMENT ON TABLE omega_bridge.catalogs IS 'what the last start saw of the objects behind those names, so that drift can say what has changed since';
COMMENT ON COLUMN omega_bridge.catalogs.schema IS 'of the state that it belongs to';
COMMENT ON COLUMN omega_bridge.catalogs.digest IS 'its catalog_digest; where the two differ, this row is of an earlier start';
COMMENT ON COLUMN omega_bridge.catalogs.catalog IS 'JSON, one object a row, compressed (zlib)';
CREATE OR REPLACE FUNCTION omega_bridge.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $refuse$
BEGIN
  RAISE EXCEPTION 'omega_bridge.ledger is append-only: % is barred', TG_OP
    USING ERRCODE = 'insufficient_privilege', HINT = 'What was done stays on record. See docs/security.md.';
END $refuse$;
COMMENT ON FUNCTION omega_bridge.refuse_change() IS 'called by the ledger''s trigger: entries are added, and never changed or removed';
CREATE OR REPLACE FUNCTION omega_bridge.answer() RETURNS TABLE (versions text, told text, token_1 numeric, token_2 numeric, token_3 numeric, token_4 numeric, token_5 numeric, token_6 numeric, token_7 numeric, token_8 numeric, token_9 numeric, token_10 numeric, token_11 numeric, token_12 numeric) LANGUAGE plpgsql STABLE AS $answer$
DECLARE
  asked text;
BEGIN
  SELECT s.question INTO asked FROM omega_bridge.states s 
    WHERE s.schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema()::pg_catalog.text, '');
  IF asked IS NOT NULL THEN
    RETURN QUERY EXECUTE asked;
  END IF;
END $answer$;
COMMENT ON FUNCTION omega_bridge.answer() IS 'called by probe() where more than one schema has a state: it asks the question of the current one';
DO $trigger$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'omega_bridge.ledger'::regclass AND tgname = 'append_only') THEN
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON omega_bridge.ledger
      FOR EACH STATEMENT EXECUTE FUNCTION omega_bridge.refuse_change();
    ALTER TABLE omega_bridge.ledger ENABLE ALWAYS TRIGGER append_only;
  END IF;
END $trigger$;
REVOKE UPDATE, DELETE, TRUNCATE ON omega_bridge.ledger FROM PUBLIC, CURRENT_USER;
