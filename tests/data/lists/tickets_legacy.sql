CREATE TABLE tickets (id bigserial PRIMARY KEY, subject varchar(200), body text, status varchar(20) DEFAULT 'open');
INSERT INTO tickets (subject, status) VALUES ('a', 'pending'), ('b', NULL), ('c', 'closed');
CREATE TABLE sessions (id serial PRIMARY KEY, ticket_id bigint);
INSERT INTO sessions (ticket_id) VALUES (1);
CREATE TABLE scratchpad (y int);
INSERT INTO scratchpad VALUES (1);
CREATE EXTENSION citext;
CREATE TABLE agents (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email citext UNIQUE, prompt text, config jsonb DEFAULT '{}');
INSERT INTO agents (email) VALUES ('x@x');
