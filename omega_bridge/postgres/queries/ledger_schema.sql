-- In the bridge's own schema: the ledger, and one row that says what the last clean boot saw.
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
COMMENT ON COLUMN omega_bridge.ledger.detail IS 'objects created and changed, notices, SQLSTATE and message, seconds, place in the source';
COMMENT ON COLUMN omega_bridge.ledger.previous IS 'hash of the entry before; unique, so that the chain cannot fork';
COMMENT ON COLUMN omega_bridge.ledger.hash IS 'l1: SHA-256 over every field above';
CREATE TABLE IF NOT EXISTS omega_bridge.state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  digest text NOT NULL,
  revision text,
  names text[] NOT NULL,
  token text NOT NULL,
  catalog_digest text NOT NULL,
  steps jsonb NOT NULL,
  data jsonb NOT NULL,
  standing jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE omega_bridge.state IS 'what the last clean boot (or alembic upgrade head) left: the next start compares and, where nothing changed, does nothing';
COMMENT ON COLUMN omega_bridge.state.digest IS 'of the list, the models and the exported head';
COMMENT ON COLUMN omega_bridge.state.revision IS 'the alembic revision stamped with it';
COMMENT ON COLUMN omega_bridge.state.names IS 'every identifier that the list and the models name';
COMMENT ON COLUMN omega_bridge.state.token IS 'fingerprint of the catalog rows behind those names';
COMMENT ON COLUMN omega_bridge.state.catalog_digest IS 'digest of the meaning of those rows';
COMMENT ON COLUMN omega_bridge.state.steps IS 'the steps it was made by: id, checksum, additive';
COMMENT ON COLUMN omega_bridge.state.data IS 'the data steps that a start runs, with the question that tells whether one would change anything';
COMMENT ON COLUMN omega_bridge.state.standing IS 'steps without effect, or refused, that were not tried again';
