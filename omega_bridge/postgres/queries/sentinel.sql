-- An event trigger that notes each transaction with DDL, so that a start with nothing to do reads one empty table.
-- Noted is what happens outside the bridge's own schema; temporary objects do not count.
-- The table has neither defaults nor constraints: a server process that opens it for the first time would read them, too.
CREATE TABLE IF NOT EXISTS omega_bridge.ddl (at timestamptz, pid integer, tag text);
COMMENT ON TABLE omega_bridge.ddl IS 'DDL since the last recorded start: any row makes the next start look at the schema again';
COMMENT ON COLUMN omega_bridge.ddl.at IS 'when';
COMMENT ON COLUMN omega_bridge.ddl.pid IS 'the server process of the session that did it';
COMMENT ON COLUMN omega_bridge.ddl.tag IS 'the command''s tag, such as ALTER TABLE';
CREATE OR REPLACE FUNCTION omega_bridge.note_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $note$
DECLARE
  counts boolean;
BEGIN
  IF TG_EVENT = 'sql_drop' THEN
    SELECT coalesce(bool_or(original AND NOT is_temporary AND schema_name IS DISTINCT FROM 'omega_bridge' AND object_name IS DISTINCT FROM 'alembic_version'), false)
      INTO counts FROM pg_event_trigger_dropped_objects();
  ELSE
    SELECT coalesce(bool_or(schema_name IS DISTINCT FROM 'pg_temp' AND schema_name IS DISTINCT FROM 'omega_bridge'
                            AND strpos(object_identity, 'alembic_version') = 0), TG_TAG NOT LIKE 'DROP%')
      INTO counts FROM pg_event_trigger_ddl_commands();
  END IF;
  IF counts THEN
    INSERT INTO omega_bridge.ddl (at, pid, tag) VALUES (clock_timestamp(), pg_backend_pid(), TG_TAG);
  END IF;
END $note$;
COMMENT ON FUNCTION omega_bridge.note_ddl() IS 'called by the event triggers omega_bridge_ddl and omega_bridge_drop';
DROP EVENT TRIGGER IF EXISTS omega_bridge_ddl;
DROP EVENT TRIGGER IF EXISTS omega_bridge_drop;
CREATE EVENT TRIGGER omega_bridge_ddl ON ddl_command_end EXECUTE FUNCTION omega_bridge.note_ddl();
CREATE EVENT TRIGGER omega_bridge_drop ON sql_drop EXECUTE FUNCTION omega_bridge.note_ddl();
ALTER EVENT TRIGGER omega_bridge_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER omega_bridge_drop ENABLE ALWAYS;
