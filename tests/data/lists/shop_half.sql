CREATE SEQUENCE order_numbers START WITH 1000 INCREMENT BY 7 CACHE 5;
CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL, "Display Name" varchar(80), tags text[] DEFAULT ARRAY[]::text[], vip boolean);
INSERT INTO customers (email) VALUES ('q@x');
CREATE SCHEMA stock;
CREATE TABLE stock.items (sku varchar(32) NOT NULL PRIMARY KEY, title text NOT NULL, cents integer NOT NULL CHECK (cents > 0), weight numeric(8,3), colour varchar(8));
INSERT INTO stock.items VALUES ('A-1', 'old title', 1);
CREATE TABLE orders (id bigserial PRIMARY KEY, number bigint NOT NULL DEFAULT nextval('order_numbers') UNIQUE, customer_id integer REFERENCES customers(id), placed timestamptz DEFAULT now(), total numeric(12,2));
CREATE VIEW best_customers AS SELECT 1 AS one;
