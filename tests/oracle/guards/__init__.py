"""Guards and blocks times states of a catalog: what is read of them, held against what PostgreSQL does."""
