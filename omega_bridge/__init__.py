"""omega-bridge: a self-repair list for PostgreSQL that runs fast and safely at every start, and its Alembic history."""
