CREATE TABLE members (id serial PRIMARY KEY, name text NOT NULL, joined_on date, uid uuid);
INSERT INTO members (name) VALUES ('m1'), ('m2');
CREATE TABLE books (id serial PRIMARY KEY, isbn char(13), title text, year int, language varchar(5) DEFAULT 'es');
INSERT INTO books (title) VALUES ('t');
CREATE TABLE api_keys (id bigint PRIMARY KEY, svc text, scope text);
INSERT INTO api_keys VALUES (1, 'a', NULL);
CREATE TABLE fines (id int);
