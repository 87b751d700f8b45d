-- The tables as the second layout made them, with the record of a start: a table in two steps, and what that start left.
CREATE SCHEMA IF NOT EXISTS omega_bridge;
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
CREATE TABLE IF NOT EXISTS omega_bridge.chain (
  layout integer NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL
);
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
CREATE TABLE IF NOT EXISTS omega_bridge.catalogs (
  schema text PRIMARY KEY,
  digest text NOT NULL,
  catalog bytea NOT NULL
);
CREATE OR REPLACE FUNCTION omega_bridge.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $refuse$
BEGIN
  RAISE EXCEPTION 'omega_bridge.ledger is append-only: % is barred', TG_OP
    USING ERRCODE = 'insufficient_privilege', HINT = 'What was done stays on record. See docs/security.md.';
END $refuse$;
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
DO $trigger$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'omega_bridge.ledger'::regclass AND tgname = 'append_only') THEN
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON omega_bridge.ledger
      FOR EACH STATEMENT EXECUTE FUNCTION omega_bridge.refuse_change();
    ALTER TABLE omega_bridge.ledger ENABLE ALWAYS TRIGGER append_only;
  END IF;
END $trigger$;
REVOKE UPDATE, DELETE, TRUNCATE ON omega_bridge.ledger FROM PUBLIC, CURRENT_USER;
-- made by it
INSERT INTO omega_bridge.catalogs VALUES ('public', '74cb6c579120d1a73cb320d7d3d8e1293dea79aff0b3950090bcbeece6db88f3', '\x7801d554c16edb300cfd1541a70d28baedba5bb10543b02e6bd3055851048662338e50455225aa4d30f4df47da4aa2386d8f0376b061493429bef7f8eeee64ed4c5a5b7926a44f0ba36bfe427e297afde163a3503b2b3f0b9b8ca183daadd760f168c30788f128aa81a54aa68882cd69500b168242682899e4a26d5016e321b56ea892c6edeedc3aacf81a87085ea98501dac190807238cff72d9244088f10aad37da4ce22eaba8c451754cbd972b7b8f5bc92da22b410e4f3fc4cbc819a6efe3bd896cac47f879b8d181481c96c0f148795bf876dc66fa0319213849089deddb8dfecd4536c69abb360e5d574fce3627a2bbe8f6ec53bddbce7a28d8e9c862537a0d8f3f1a332bac9926441f57cc306c17602a7100ee3c71bdfc607439f3c27bb0bcbabcb0fbebdb9be143eb81a9a14941146d936b1aee8b758af60ad5853bead6a85cab896f749a37984e4a7f38f5968da36b0e98aeda793576f415593f833c6fb9920a40a58be4c4717bf466236195fcf46623cf93afa2dfa8ce2e744f4ac9ca398dd8c27dfc40203c01e3dafc2d1ecc7176608334dbd8f74abe8555d0c55b2fa211523db814e881c00cf2051abdcee110025d899c1a16db827f2954c704f607f274a75d05c8723bd289f491121949a38f0994b2c5da8a10aeea98a50a7d07bd24e75c3fadaae80420a5fb9272299f2c055d7802b5708d02dab6c33b9d88955ed1a92de456cc96c3b4454206f24afab162e75e9f3ef44523ee079daebdcb3c0a851db51213bb907f064faaa2a8c362779a5d5de4c0f495f33d7976847a7220e7cf8793eff0b37a71ce1');
UPDATE omega_bridge.chain SET (layout, seq, hash) = (2, 3, 'l1:7429a9999e8fe55c4374c778fef31dd78832613b15a1179b52ee74d9c99ae530');
INSERT INTO omega_bridge.ledger VALUES (1, '2026-11-27 02:56:53.950734+00', 'boot', 'step', 'de268d8a-81df-446e-929c-5ca03a977959', 'create-t', 'c1:392ac2de69a8d8e37f6bc0bf8e0b74ecbca10a833ca4d06df9c6962ebe05419e', 'applied', '{"by": {"host": "web-1", "role": "postgres", "client": "psycopg 3.3.9", "schema": "public", "os_user": "app", "application": "omega-bridge batch", "search_path": "\"$user\", public"}, "place": "main.py:1", "reason": "table t is missing", "changes": [], "created": ["column public.t.id", "constraint public.t.t_pkey", "index public.t_pkey", "table public.t"], "seconds": 0.011708}', 'genesis', 'l1:f7b6aede56e2b91eb0b1eef556e88468ee5daaf90cf07318eb44f83e158e179a');
INSERT INTO omega_bridge.ledger VALUES (2, '2026-11-27 02:56:53.950852+00', 'boot', 'step', 'de268d8a-81df-446e-929c-5ca03a977959', 't-a', 'c1:75b1296d4cd71257bd8eef9db9c8cff3c27ef2c30670c91f37790d5c9faa9755', 'applied', '{"by": {"host": "web-1", "role": "postgres", "client": "psycopg 3.3.9", "schema": "public", "os_user": "app", "application": "omega-bridge batch", "search_path": "\"$user\", public"}, "place": "main.py:1", "reason": "column t.a is missing", "changes": [], "created": ["column public.t.a"], "seconds": 0.011708}', 'l1:f7b6aede56e2b91eb0b1eef556e88468ee5daaf90cf07318eb44f83e158e179a', 'l1:269746a8ca7556fe0e48a3e237ba6c4508c4badf5539e61826fad2557e2d0eaf');
INSERT INTO omega_bridge.ledger VALUES (3, '2026-11-27 02:56:53.961845+00', 'boot', 'boot', 'de268d8a-81df-446e-929c-5ca03a977959', '', '8e9b22a104edf3a3e32a83cd786b9edac5786270e406f736f955ea4503f91c3e', 'repaired', '{"by": {"host": "web-1", "role": "postgres", "client": "psycopg 3.3.9", "schema": "public", "os_user": "app", "application": "omega-bridge batch", "search_path": "\"$user\", public"}, "steps": 2, "catalog": "74cb6c579120d1a73cb320d7d3d8e1293dea79aff0b3950090bcbeece6db88f3", "outcomes": {"applied": 2}, "revision": null}', 'l1:269746a8ca7556fe0e48a3e237ba6c4508c4badf5539e61826fad2557e2d0eaf', 'l1:7429a9999e8fe55c4374c778fef31dd78832613b15a1179b52ee74d9c99ae530');
INSERT INTO omega_bridge.states VALUES ('public', '8e9b22a104edf3a3e32a83cd786b9edac5786270e406f736f955ea4503f91c3e', NULL, '{t,t_pkey}', '10737946913101299600|9511284266533521546|-|-|-|-|-|-|-|-|-|-|"$user", public|postgres|public', '74cb6c579120d1a73cb320d7d3d8e1293dea79aff0b3950090bcbeece6db88f3', '[{"id": "create-t", "additive": true, "checksum": "c1:392ac2de69a8d8e37f6bc0bf8e0b74ecbca10a833ca4d06df9c6962ebe05419e"}, {"id": "t-a", "additive": true, "checksum": "c1:75b1296d4cd71257bd8eef9db9c8cff3c27ef2c30670c91f37790d5c9faa9755"}]', '[]', '[]', '[]', 'SELECT NULL::pg_catalog.text,  E''{"tried": 1795748213.962883, "digest": "8e9b22a104edf3a3e32a83cd786b9edac5786270e406f736f955ea4503f91c3e", "revision": null, "token": "10737946913101299600|9511284266533521546|-|-|-|-|-|-|-|-|-|-|\\"$user\\", public|postgres|public", "catalog_digest": "74cb6c579120d1a73cb320d7d3d8e1293dea79aff0b3950090bcbeece6db88f3", "data": [], "standing": [], "inspection": []}''::pg_catalog.text, (SELECT pg_catalog.sum(pg_catalog.hashint8extended(oid::pg_catalog.int8, xmin::pg_catalog.text::pg_catalog.int8)) FILTER (WHERE (relnamespace OPERATOR(pg_catalog.=) ANY (''{2200}''::pg_catalog.oid[]))) FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.=) ANY (''{t,t_pkey}''::pg_catalog.name[])), (SELECT pg_catalog.sum(pg_catalog.hashint8extended((attrelid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 16) OPERATOR(pg_catalog.+) attnum, xmin::pg_catalog.text::pg_catalog.int8)) FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) ANY (''{192747}''::pg_catalog.oid[]) AND attnum OPERATOR(pg_catalog.>) 0), NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric, NULL::pg_catalog.numeric', '2026-11-27 02:56:53.963875+00');
CREATE FUNCTION omega_bridge.probe() RETURNS TABLE (versions text, told text, token_1 numeric) LANGUAGE sql STABLE ROWS 1
  AS $$SELECT NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.numeric$$;
CREATE TABLE t (id int PRIMARY KEY, a int);
