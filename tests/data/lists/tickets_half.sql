CREATE TYPE ticket_status AS ENUM ('open', 'waiting', 'closed');
CREATE TABLE tickets (id bigserial PRIMARY KEY, subject varchar(200), body text, status ticket_status DEFAULT 'open', ext_id text);
INSERT INTO tickets (subject) VALUES ('a');
CREATE TABLE sessions (id serial PRIMARY KEY, ticket_id bigint);
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER trg_tickets_updated BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION set_updated_at();
