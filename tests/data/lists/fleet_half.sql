CREATE DOMAIN celsius AS numeric(5,2);
CREATE TYPE reading_part AS (kind text, value double precision, unit text);
CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), serial_no text NOT NULL, model varchar(30), firmware int);
CREATE TABLE readings (device_id uuid NOT NULL REFERENCES devices (id), at timestamptz NOT NULL, temperature celsius, PRIMARY KEY (device_id, at)) PARTITION BY RANGE (at);
CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO devices (serial_no) VALUES ('z');
INSERT INTO readings SELECT id, '2024-05-05', 20 FROM devices;
