CREATE SCHEMA crm;
CREATE TABLE crm.stages (id int PRIMARY KEY, label text NOT NULL UNIQUE, position smallint);
INSERT INTO crm.stages VALUES (1, 'neu', 9);
CREATE TYPE crm.mood AS ENUM ('calm', 'angry');
CREATE TABLE crm.accounts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, owner_id uuid, mood crm.mood);
INSERT INTO crm.accounts (name) VALUES ('x');
CREATE TABLE crm.tasks (id bigserial PRIMARY KEY, title text NOT NULL, due date, beta text);
CREATE INDEX ix_accounts_name ON crm.accounts (id);
