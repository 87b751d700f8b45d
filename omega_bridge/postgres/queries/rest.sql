-- What catalog.sql leaves out of a database: one row an object, as PostgreSQL names it, and what is said of it as text.
-- Run with a search_path of pg_catalog alone, so that names are in full. {compression}: of a column's values, where the server
-- knows it (14 and later). ACCESS SHARE on catalogs only.
WITH schemas AS MATERIALIZED (
  SELECT n.* FROM pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> ALL ('{information_schema,omega_bridge,omega_bridge_sentinel}')
), relations AS MATERIALIZED (
  SELECT c.* FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
  WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND c.relname !~ '^alembic_version'
), found (class, object, part, told) AS (
  SELECT 'pg_namespace'::regclass, s.oid, 0, s.nspowner::regrole::text FROM schemas s
  UNION ALL SELECT 'pg_class'::regclass, c.oid, 0, format('%s %s %s %s %s %s %s', c.relowner::regrole, c.relreplident, c.relam, c.reltablespace,
      c.reloftype::regtype, CASE WHEN c.relkind = 'm' THEN c.relispopulated END,
      CASE WHEN c.relkind IN ('S', 'i', 'I') THEN format('%s %s', c.relacl, c.reloptions) END) FROM relations c
  UNION ALL SELECT 'pg_class'::regclass, i.indexrelid, 0, format('%s %s', i.indisclustered, i.indisreplident)
    FROM pg_index i JOIN relations c ON c.oid = i.indexrelid WHERE i.indisclustered OR i.indisreplident
  UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, {compression}::text
    FROM pg_attribute a JOIN relations c ON c.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped AND {compression} <> ''
  UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, 0, format('%s %s', r.ev_enabled, pg_get_ruledef(r.oid))
    FROM pg_rewrite r JOIN relations c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
  UNION ALL SELECT 'pg_proc'::regclass, f.oid, 0, format('%s %s', f.proowner::regrole, (SELECT to_jsonb(a) - 'aggfnoid' FROM pg_aggregate a WHERE a.aggfnoid = f.oid))
    FROM pg_proc f JOIN schemas s ON s.oid = f.pronamespace
  UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, format('%s %s %s', t.typowner::regrole, t.typacl,
      (SELECT format('%s %s', r.rngsubtype::regtype, r.rngcanonical) FROM pg_range r WHERE r.rngtypid = t.oid))
    FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r') OR t.typrelid IN (SELECT oid FROM relations WHERE relkind = 'c')
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 0, k.convalidated::text FROM pg_constraint k JOIN schemas s ON s.oid = k.connamespace WHERE k.contypid <> 0
  UNION ALL SELECT 'pg_statistic_ext'::regclass, e.oid, 0, format('%s %s %s', e.stxowner::regrole, e.stxstattarget, pg_get_statisticsobjdef(e.oid))
    FROM pg_statistic_ext e JOIN schemas s ON s.oid = e.stxnamespace
  UNION ALL SELECT 'pg_default_acl'::regclass, d.oid, 0, d.defaclacl::text FROM pg_default_acl d
  UNION ALL SELECT 'pg_publication'::regclass, p.oid, 0, (to_jsonb(p) - 'oid')::text FROM pg_publication p
  UNION ALL SELECT 'pg_publication_rel'::regclass, p.oid, 0, (to_jsonb(p) - '{oid,prpubid,prrelid}'::text[])::text FROM pg_publication_rel p
  UNION ALL SELECT 'pg_cast'::regclass, c.oid, 0, format('%s %s %s', c.castfunc::regprocedure, c.castcontext, c.castmethod) FROM pg_cast c WHERE c.oid >= 16384
  UNION ALL SELECT 'pg_operator'::regclass, o.oid, 0, format('%s %s %s', o.oprowner::regrole, o.oprcode, o.oprcanhash) FROM pg_operator o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_opclass'::regclass, o.oid, 0, format('%s %s', o.opcowner::regrole, o.opcdefault) FROM pg_opclass o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_opfamily'::regclass, o.oid, 0, o.opfowner::regrole::text FROM pg_opfamily o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_collation'::regclass, o.oid, 0, (to_jsonb(o) - 'oid' - 'collnamespace')::text FROM pg_collation o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_conversion'::regclass, o.oid, 0, o.conowner::regrole::text FROM pg_conversion o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_config'::regclass, o.oid, 0, format('%s %s', o.cfgowner::regrole,
      (SELECT array_agg(format('%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary) ORDER BY 1) FROM pg_ts_config_map m WHERE m.mapcfg = o.oid))
    FROM pg_ts_config o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_dict'::regclass, o.oid, 0, format('%s %s', o.dictowner::regrole, o.dictinitoption) FROM pg_ts_dict o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_parser'::regclass, o.oid, 0, '' FROM pg_ts_parser o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_template'::regclass, o.oid, 0, '' FROM pg_ts_template o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_language'::regclass, o.oid, 0, (to_jsonb(o) - 'oid')::text FROM pg_language o
  UNION ALL SELECT 'pg_transform'::regclass, o.oid, 0, '' FROM pg_transform o
  UNION ALL SELECT 'pg_event_trigger'::regclass, o.oid, 0, format('%s %s %s %s %s', o.evtowner::regrole, o.evtevent, o.evtfoid::regprocedure, o.evtenabled, o.evttags)
    FROM pg_event_trigger o WHERE o.evtname !~ '^omega_bridge'
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, o.oid, 0, (to_jsonb(o) - 'oid')::text FROM pg_foreign_data_wrapper o
  UNION ALL SELECT 'pg_foreign_server'::regclass, o.oid, 0, (to_jsonb(o) - 'oid' - 'srvfdw')::text FROM pg_foreign_server o
  UNION ALL SELECT 'pg_class'::regclass, o.ftrelid, 0, o.ftoptions::text FROM pg_foreign_table o
  UNION ALL SELECT 'pg_extension'::regclass, o.oid, 0, o.extversion FROM pg_extension o
  UNION ALL SELECT d.classoid::regclass, d.objoid, d.objsubid, d.description FROM pg_description d WHERE d.objoid >= 16384
  UNION ALL SELECT l.classoid::regclass, l.objoid, l.objsubid, format('%s %s', l.provider, l.label) FROM pg_seclabel l
)
SELECT format('%s %s', o.type, o.identity), string_agg(f.told, ' ' ORDER BY f.told)
FROM found f CROSS JOIN LATERAL pg_identify_object(f.class, f.object, f.part) o
WHERE o.identity IS NOT NULL AND o.identity !~ '(^|[. ])(omega_bridge|omega_bridge_sentinel|alembic_version)\M' GROUP BY 1
UNION ALL
SELECT format('setting of %s in %s', CASE WHEN s.setrole <> 0 THEN s.setrole::regrole END, CASE WHEN s.setdatabase <> 0 THEN current_database() END), s.setconfig::text
FROM pg_db_role_setting s WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
