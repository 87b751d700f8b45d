CREATE SCHEMA crm;
CREATE TABLE crm.accounts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL UNIQUE, owner_id uuid, phone text);
INSERT INTO crm.accounts (name) VALUES ('one'), ('two');
CREATE TABLE crm.legacy_notes (id serial PRIMARY KEY, body text);
INSERT INTO crm.legacy_notes (body) VALUES ('hm');
CREATE TABLE accounts (id int, vat_id text, name text, phone text);
INSERT INTO accounts VALUES (1);
