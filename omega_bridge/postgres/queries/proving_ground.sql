-- What a proof may meet on a server beside its own databases: the program, its settings, roles, tablespaces and extensions. Where a server
-- keeps its files and listens says nothing.
SELECT version(),
  (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings WHERE source NOT IN ('session', 'client') AND name <> ALL (
    '{data_directory,config_file,hba_file,ident_file,external_pid_file,port,unix_socket_directories,listen_addresses,log_directory,'
    'log_filename,stats_temp_directory,primary_conninfo,server_version_num,transaction_timeout}')),
  (SELECT array_agg(to_jsonb(r) - 'oid' - 'rolpassword' ORDER BY r.rolname) FROM pg_roles r),
  (SELECT array_agg(pg_get_userbyid(m.roleid) || ' ' || pg_get_userbyid(m.member) ORDER BY 1) FROM pg_auth_members m),
  (SELECT array_agg(spcname ORDER BY spcname) FROM pg_tablespace),
  (SELECT array_agg(name || ' ' || version ORDER BY name, version) FROM pg_available_extension_versions),
  (SELECT array_agg(to_jsonb(d) - 'oid' - 'datfrozenxid' - 'datminmxid' ORDER BY datname) FROM pg_database d WHERE datname ~ '^template')
