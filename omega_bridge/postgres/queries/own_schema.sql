-- The bridge's own schema. Asked for only where it is missing: IF NOT EXISTS wants CREATE on the database even where it
-- has nothing to do, and an administrator may have made the schema for a role that lacks it.
CREATE SCHEMA IF NOT EXISTS omega_bridge;
COMMENT ON SCHEMA omega_bridge IS 'omega-bridge: what was done to this database''s schema, and by which list';
