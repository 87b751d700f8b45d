CREATE TABLE customers (id serial PRIMARY KEY, mail text NOT NULL, vip text DEFAULT 'n');
INSERT INTO customers (mail, vip) VALUES ('a@x', 'y'), ('a@x', 'n'), ('b@x', NULL);
CREATE TABLE basket (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id integer, lines jsonb NOT NULL DEFAULT '[]');
INSERT INTO basket (customer_id) VALUES (1), (3);
CREATE TABLE orders (id bigserial PRIMARY KEY, number bigint NOT NULL, customer_id integer REFERENCES customers (id), placed timestamp, total numeric(12,2));
INSERT INTO orders (number, customer_id, placed, total) VALUES (1001, 1, '2020-01-01 10:00', NULL), (1008, 3, now(), 3000);
CREATE TABLE import_staging (raw text);
INSERT INTO import_staging VALUES ('keep me');
