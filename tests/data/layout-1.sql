-- The tables as the first layout had them, with a record of two entries, a state, and the view that a start read.
CREATE SCHEMA omega_bridge;
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
INSERT INTO omega_bridge.ledger VALUES (1, '2026-01-02T03:04:05.678901+00:00', 'boot', 'step', '00000000-0000-0000-0000-000000000001', 'old', 'c1:00', 'applied', '{"created": ["table public.old"], "reason": "table public.old is missing"}', 'genesis', 'l1:2381f91de7fa57f3b193d5ec5c70c184a8bce500d5a70a97581fb929e7adbfce');
INSERT INTO omega_bridge.ledger VALUES (2, '2026-01-02T03:04:05.678901+00:00', 'boot', 'boot', '00000000-0000-0000-0000-000000000001', '', 'd', 'repaired', '{"steps": 1}', 'l1:2381f91de7fa57f3b193d5ec5c70c184a8bce500d5a70a97581fb929e7adbfce', 'l1:40c8d833bd30538ef9d33de7e499837c7624a8f1ea9375aa286dad6daa0cdcef');
CREATE TABLE old (id int);
INSERT INTO omega_bridge.state (digest, names, token, catalog_digest, steps, data, standing)
  VALUES ('d', '{old}', 't', 'c', '[{"id": "old", "checksum": "c1:00", "additive": false}]', '[]', '[]');
CREATE VIEW omega_bridge.watch AS SELECT 'd'::text AS digest, NULL::text AS revision, 't'::text AS recorded, 'c'::text AS catalog_digest,
  '[]'::text AS data, '[]'::text AS standing, 't'::text AS token_1;
