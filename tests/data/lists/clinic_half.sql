CREATE TYPE visit_state AS ENUM ('booked', 'arrived', 'cancelled', 'done');
CREATE TABLE doctors (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(120) NOT NULL, search text);
CREATE TABLE patients (id serial PRIMARY KEY, full_name text NOT NULL, phone varchar(40) DEFAULT 'unknown' NOT NULL, email varchar(254), born date);
INSERT INTO patients (full_name) VALUES ('Cy');
CREATE INDEX ix_doctors_name ON doctors (name);
CREATE TABLE audit_log (id bigint PRIMARY KEY);
CREATE FUNCTION note_visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
