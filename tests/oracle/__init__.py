"""PostgreSQL as the judge of what the bridge reads, and of where it leads."""
