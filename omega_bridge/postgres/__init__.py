"""The only home of psycopg: connections, the lock, the probe, reading the catalog, running steps, the ledger's store."""
