-- Every object of a database that is not the system's, an extension's or the bridge's: one line of text each, names in full.
WITH mine AS (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.deptype = 'e'
), schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'omega_bridge')
), rels AS (
    SELECT c.*, n.nspname, format('%I.%I', n.nspname, c.relname) AS named
    FROM pg_class c JOIN schemas n ON n.oid = c.relnamespace
    WHERE c.relname NOT IN ('alembic_version', 'alembic_version_pkc')
      AND NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
)
SELECT format('schema %I owner %s acl %s', n.nspname, n.nspowner::regrole, ARRAY(SELECT a::text FROM unnest(n.nspacl) a ORDER BY 1)) AS line FROM pg_namespace n JOIN schemas USING (oid)
UNION ALL SELECT format('extension %I in %s version %s', extname, extnamespace::regnamespace, extversion) FROM pg_extension
UNION ALL
SELECT format('relation %s kind %s owner %s persistence %s options %s acl %s security %s %s identity %s part %s of %s method %s populated %s type %s',
    named, relkind, relowner::regrole, relpersistence, reloptions, ARRAY(SELECT a::text FROM unnest(relacl) a ORDER BY 1), relrowsecurity, relforcerowsecurity, relreplident,
    CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, pg_get_expr(relpartbound, oid), (SELECT amname FROM pg_am WHERE pg_am.oid = relam),
    relispopulated, CASE WHEN reloftype <> 0 THEN reloftype::regtype END)
FROM rels WHERE relkind NOT IN ('i', 'I', 't')
UNION ALL SELECT format('view %s: %s', named, pg_get_viewdef(oid)) FROM rels WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('index %s: %s valid %s clustered %s identity %s options %s', named, pg_get_indexdef(oid), x.indisvalid, x.indisclustered, x.indisreplident, reloptions)
FROM rels JOIN pg_index x ON x.indexrelid = oid
UNION ALL
SELECT format('column %s %s %I: %s collation %s not null %s default %s identity %s generated %s acl %s options %s statistics %s storage %s compression %s local %s %s',
    named, row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname, format_type(atttypid, atttypmod),
    CASE WHEN attcollation <> 0 THEN attcollation::regcollation END, attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated, ARRAY(SELECT a::text FROM unnest(attacl) a ORDER BY 1),
    attoptions, nullif(attstattarget::int, -1), attstorage, attcompression, attislocal, attinhcount)
FROM rels JOIN pg_attribute a ON attrelid = rels.oid LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped AND relkind NOT IN ('i', 'I', 'S')
UNION ALL
SELECT format('constraint %I on %s: %s validated %s local %s %s', conname, coalesce(named, contypid::regtype::text), pg_get_constraintdef(k.oid), convalidated,
    conislocal, coninhcount)
FROM pg_constraint k JOIN schemas n ON n.oid = k.connamespace LEFT JOIN rels ON rels.oid = conrelid
WHERE (conrelid = 0 OR rels.oid IS NOT NULL)
UNION ALL
SELECT format('trigger %I on %s: %s enabled %s', tgname, named, pg_get_triggerdef(t.oid), tgenabled)
FROM pg_trigger t JOIN rels ON rels.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT format('rule %I on %s: %s enabled %s', rulename, named, pg_get_ruledef(r.oid), ev_enabled)
FROM pg_rewrite r JOIN rels ON rels.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT format('policy %I on %s: %s %s to %s using %s check %s', polname, named, polcmd, polpermissive,
    ARRAY(SELECT CASE WHEN r = 0 THEN 'public' ELSE r::regrole::text END FROM unnest(polroles) r ORDER BY 1), pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM pg_policy JOIN rels ON rels.oid = polrelid
UNION ALL
SELECT format('routine %s kind %s owner %s acl %s: %s', p.oid::regprocedure, prokind, proowner::regrole, ARRAY(SELECT a::text FROM unnest(proacl) a ORDER BY 1),
    CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END)
FROM pg_proc p JOIN schemas n ON n.oid = pronamespace
WHERE NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
UNION ALL
SELECT format('type %s kind %s owner %s acl %s base %s not null %s default %s labels %s', format_type(t.oid, NULL), typtype, typowner::regrole, ARRAY(SELECT a::text FROM unnest(typacl) a ORDER BY 1),
    CASE WHEN typbasetype <> 0 THEN format_type(typbasetype, typtypmod) END, typnotnull, typdefault,
    ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder))
FROM pg_type t JOIN schemas n ON n.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r') AND NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT format('sequence %s: %s start %s by %s min %s max %s cache %s cycle %s of %s', named, format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax,
    seqcache, seqcycle, (SELECT format('%s.%s %s', refobjid::regclass, (SELECT attname FROM pg_attribute WHERE attrelid = refobjid AND attnum = refobjsubid), deptype)
        FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = rels.oid AND deptype IN ('a', 'i') AND refclassid = 'pg_class'::regclass))
FROM rels JOIN pg_sequence ON seqrelid = rels.oid
UNION ALL
SELECT format('child %s of %s at %s', named, inhparent::regclass, CASE WHEN relispartition THEN 0 ELSE inhseqno END) FROM rels JOIN pg_inherits ON inhrelid = rels.oid
UNION ALL
SELECT format('publication %I owner %s all %s does %s %s %s %s root %s tables %s', pubname, pubowner::regrole, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate,
    pubviaroot, ARRAY(SELECT r.prrelid::regclass::text FROM pg_publication_rel r WHERE r.prpubid = p.oid ORDER BY 1))
FROM pg_publication p
UNION ALL SELECT format('statistics %s', pg_get_statisticsobjdef(s.oid)) FROM pg_statistic_ext s JOIN schemas n ON n.oid = stxnamespace
UNION ALL
SELECT format('default privileges of %s in %s for %s: %s', defaclrole::regrole, CASE WHEN defaclnamespace <> 0 THEN defaclnamespace::regnamespace END, defaclobjtype, ARRAY(SELECT a::text FROM unnest(defaclacl) a ORDER BY 1))
FROM pg_default_acl
UNION ALL SELECT format('collation %I.%I', n.nspname, collname) FROM pg_collation JOIN schemas n ON n.oid = collnamespace
UNION ALL SELECT format('operator %s', o.oid::regoperator) FROM pg_operator o JOIN schemas n ON n.oid = oprnamespace
    WHERE NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = 'pg_operator'::regclass AND m.objid = o.oid)
UNION ALL SELECT format('cast %s to %s', castsource::regtype, casttarget::regtype) FROM pg_cast c WHERE oid >= 16384
    AND NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = 'pg_cast'::regclass AND m.objid = c.oid)
UNION ALL SELECT format('search configuration %I.%I', n.nspname, cfgname) FROM pg_ts_config JOIN schemas n ON n.oid = cfgnamespace
UNION ALL
SELECT format('comment on %s %s: %s', o.type, o.identity, description)
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE (d.objoid >= 16384 OR d.objoid = 2200) AND o.identity !~ '^(omega_bridge|alembic_version)\M' AND o.schema IS DISTINCT FROM 'omega_bridge'
  AND NOT EXISTS (SELECT 1 FROM mine m WHERE m.classid = d.classoid AND m.objid = d.objoid) AND d.classoid <> 'pg_extension'::regclass
  AND NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE d.classoid = 'pg_namespace'::regclass AND n.oid = d.objoid AND n.nspname = 'omega_bridge')
