CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), serial_no text NOT NULL, model text);
INSERT INTO devices (serial_no, model) VALUES ('s1', 'm'), ('s2', 'a model name that is longer than thirty characters');
CREATE TABLE events (id bigserial, at timestamptz DEFAULT now(), what text);
INSERT INTO events (what) VALUES ('boom');
CREATE INDEX ix_old_devices ON devices (model);
