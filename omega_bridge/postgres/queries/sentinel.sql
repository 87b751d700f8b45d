-- An event trigger that notes each transaction with DDL, so that a start with nothing to do reads one small table.
-- All of it belongs to who installs it, in a schema of its own: the functions run with the installer's rights, and write by
-- qualified name into tables that only the installer can replace. Who starts gets USAGE, SELECT, and EXECUTE on passed().
-- Noted is what happens outside the bridge's own schemas; temporary objects do not count.
-- The table has neither defaults nor constraints: a server process that opens it for the first time would read them, too.
CREATE SCHEMA IF NOT EXISTS omega_bridge_sentinel;
COMMENT ON SCHEMA omega_bridge_sentinel IS 'omega-bridge: DDL in this database, noted by event triggers';
CREATE TABLE IF NOT EXISTS omega_bridge_sentinel.omega_bridge_marks (xid xid8, at timestamptz, pid integer, tag text, schema text);
DO $identity$
BEGIN  -- marks are deleted, which a publication FOR ALL TABLES bars where rows have no identity
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = 'omega_bridge_sentinel.omega_bridge_marks'::regclass AND relreplident = 'f') THEN
    ALTER TABLE omega_bridge_sentinel.omega_bridge_marks REPLICA IDENTITY FULL;
  END IF;
END $identity$;
COMMENT ON TABLE omega_bridge_sentinel.omega_bridge_marks IS 'DDL that not every recorded start has accounted for: any row makes the next start look at the schema again';
COMMENT ON COLUMN omega_bridge_sentinel.omega_bridge_marks.xid IS 'the transaction; a state knows by its snapshot which it has seen';
COMMENT ON COLUMN omega_bridge_sentinel.omega_bridge_marks.at IS 'when';
COMMENT ON COLUMN omega_bridge_sentinel.omega_bridge_marks.pid IS 'the server process of the session that did it';
COMMENT ON COLUMN omega_bridge_sentinel.omega_bridge_marks.tag IS 'the command''s tag, such as ALTER TABLE';
COMMENT ON COLUMN omega_bridge_sentinel.omega_bridge_marks.schema IS 'where; NULL counts for every schema';
CREATE TABLE IF NOT EXISTS omega_bridge_sentinel.omega_bridge_seen (role text, schema text, snapshot pg_snapshot NOT NULL, PRIMARY KEY (role, schema));
COMMENT ON TABLE omega_bridge_sentinel.omega_bridge_seen IS 'by role and schema: the snapshot of the last recorded start, which saw every mark that is visible in it';
CREATE OR REPLACE FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $note$
BEGIN
  IF TG_EVENT = 'sql_drop' THEN
    INSERT INTO omega_bridge_sentinel.omega_bridge_marks (xid, at, pid, tag, schema)
    SELECT DISTINCT pg_current_xact_id(), clock_timestamp(), pg_backend_pid(), TG_TAG,
      coalesce(d.schema_name, CASE WHEN d.object_type IN ('trigger', 'policy', 'rule') THEN d.address_names[1] END)
    FROM pg_event_trigger_dropped_objects() d
    WHERE d.original AND NOT d.is_temporary AND d.schema_name IS DISTINCT FROM 'omega_bridge' AND d.object_name IS DISTINCT FROM 'alembic_version';
  ELSIF EXISTS (SELECT FROM pg_event_trigger_ddl_commands()) THEN
    INSERT INTO omega_bridge_sentinel.omega_bridge_marks (xid, at, pid, tag, schema)
    SELECT DISTINCT pg_current_xact_id(), clock_timestamp(), pg_backend_pid(), TG_TAG,
      coalesce(d.schema_name, CASE WHEN d.object_type IN ('trigger', 'policy', 'rule')
        THEN (SELECT a.object_names[1] FROM pg_identify_object_as_address(d.classid, d.objid, d.objsubid) a) END)
    FROM pg_event_trigger_ddl_commands() d
    WHERE d.schema_name IS DISTINCT FROM 'pg_temp' AND d.schema_name IS DISTINCT FROM 'omega_bridge'
      AND coalesce(strpos(d.object_identity, 'alembic_version') = 0 AND strpos(d.object_identity, 'omega_bridge') <> 1, true);
  ELSIF TG_TAG !~ '^(DROP|CREATE) ' THEN  -- with IF EXISTS, IF NOT EXISTS there may be nothing to tell
    INSERT INTO omega_bridge_sentinel.omega_bridge_marks (xid, at, pid, tag) VALUES (pg_current_xact_id(), clock_timestamp(), pg_backend_pid(), TG_TAG);
  END IF;
END $note$;
COMMENT ON FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl() IS 'called by the event triggers omega_bridge_ddl and omega_bridge_drop';
CREATE OR REPLACE FUNCTION omega_bridge_sentinel.omega_bridge_passed(here text, now_seen pg_snapshot) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $passed$
BEGIN
  INSERT INTO omega_bridge_sentinel.omega_bridge_seen AS s (role, schema, snapshot) VALUES (session_user, here, now_seen)
    ON CONFLICT (role, schema) DO UPDATE SET snapshot = excluded.snapshot;
  DELETE FROM omega_bridge_sentinel.omega_bridge_seen s
    WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = s.schema) OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = s.role);
  DELETE FROM omega_bridge_sentinel.omega_bridge_marks m
    WHERE NOT EXISTS (SELECT FROM omega_bridge_sentinel.omega_bridge_seen s WHERE NOT pg_visible_in_snapshot(m.xid, s.snapshot));
END $passed$;
COMMENT ON FUNCTION omega_bridge_sentinel.omega_bridge_passed(text, pg_snapshot) IS 'called by a start that records its state, for its own role alone: marks that every state has seen go';
CREATE OR REPLACE FUNCTION omega_bridge_sentinel.omega_bridge_unseen(seen text, schemas text) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $unseen$
  SELECT CASE WHEN EXISTS (SELECT FROM omega_bridge_sentinel.omega_bridge_marks m
    WHERE NOT pg_visible_in_snapshot(m.xid, seen::pg_snapshot) AND (m.schema IS NULL OR m.schema = ANY (schemas::text[]))) THEN 1.0 ELSE 0.0 END
$unseen$;
COMMENT ON FUNCTION omega_bridge_sentinel.omega_bridge_unseen(text, text) IS 'called by a start where there are marks: 1.0 with one that was not there in that snapshot, in one of these schemas or in none';
REVOKE ALL ON SCHEMA omega_bridge_sentinel FROM PUBLIC;
REVOKE ALL ON FUNCTION omega_bridge_sentinel.omega_bridge_unseen(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl() FROM PUBLIC;
REVOKE ALL ON FUNCTION omega_bridge_sentinel.omega_bridge_passed(text, pg_snapshot) FROM PUBLIC;
DROP EVENT TRIGGER IF EXISTS omega_bridge_ddl;
DROP EVENT TRIGGER IF EXISTS omega_bridge_drop;
CREATE EVENT TRIGGER omega_bridge_ddl ON ddl_command_end EXECUTE FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl();
CREATE EVENT TRIGGER omega_bridge_drop ON sql_drop EXECUTE FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl();
ALTER EVENT TRIGGER omega_bridge_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER omega_bridge_drop ENABLE ALWAYS;
