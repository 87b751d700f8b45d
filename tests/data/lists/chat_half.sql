CREATE TABLE tenants (id serial PRIMARY KEY, store_name varchar(255) NOT NULL, bot_phone_number varchar(32) UNIQUE, new_feature_flag boolean DEFAULT false, tier varchar(10) DEFAULT 'free');
INSERT INTO tenants (store_name, tier) VALUES ('T', 'pro');
CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id integer NOT NULL REFERENCES tenants(id) ON DELETE CASCADE, phone_number varchar(32) NOT NULL);
CREATE TABLE agents (id serial PRIMARY KEY, name text);
CREATE TABLE conversations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id integer REFERENCES tenants(id), channel text NOT NULL, customer_id uuid, muted boolean);
