"""A shop: integer keys from the first program, and everything that came after."""

REPAIRS: list[str] = [
    "CREATE SCHEMA IF NOT EXISTS stock",
    "CREATE SEQUENCE IF NOT EXISTS order_numbers START WITH 1000 INCREMENT BY 7 CACHE 5",
    """CREATE TABLE IF NOT EXISTS customers (
        id SERIAL PRIMARY KEY,
        mail TEXT NOT NULL,
        "Display Name" VARCHAR(80),
        tags TEXT[] DEFAULT ARRAY[]::text[]
    )""",
    """CREATE TABLE IF NOT EXISTS stock.items (
        sku VARCHAR(32) NOT NULL,
        title TEXT NOT NULL,
        cents INTEGER NOT NULL CHECK (cents > 0),
        weight NUMERIC(8,3),
        PRIMARY KEY (sku)
    )""",
    """CREATE TABLE IF NOT EXISTS orders (
        id BIGSERIAL PRIMARY KEY,
        number BIGINT NOT NULL DEFAULT nextval('order_numbers'),
        customer_id INTEGER REFERENCES customers(id),
        placed TIMESTAMP WITHOUT TIME ZONE DEFAULT now(),
        total NUMERIC(12,2)
    )""",
    # renames, guarded
    """
    DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='customers' AND column_name='mail')
           AND NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='customers' AND column_name='email') THEN
            ALTER TABLE customers RENAME COLUMN mail TO email;
        END IF;
    END $$
    """,
    """
    DO $do$ BEGIN
        IF to_regclass('public.basket') IS NOT NULL AND to_regclass('public.baskets') IS NULL THEN
            EXECUTE 'ALTER TABLE basket RENAME TO baskets';
        END IF;
    END $do$
    """,
    "CREATE TABLE IF NOT EXISTS baskets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id integer, lines jsonb NOT NULL DEFAULT '[]')",
    # fk, guarded by name only
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_baskets_customer') THEN
            ALTER TABLE baskets ADD CONSTRAINT fk_baskets_customer FOREIGN KEY (customer_id)
                REFERENCES customers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
        END IF;
    END $$
    """,
    # unnamed constraints, guarded by table_constraints
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints
                       WHERE table_name = 'orders' AND constraint_type = 'UNIQUE') THEN
            ALTER TABLE orders ADD UNIQUE (number);
        END IF;
    END $$
    """,
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_orders_customer ON orders (customer_id, placed DESC NULLS LAST)",
    "CREATE INDEX IF NOT EXISTS ix_customers_tags ON customers USING GIN (tags)",
    "CREATE UNIQUE INDEX IF NOT EXISTS uq_items_title ON stock.items (lower(title), (weight * 1000)) INCLUDE (cents) WHERE cents > 0",
    "ALTER TABLE stock.items ADD COLUMN IF NOT EXISTS dims int4[] , ADD COLUMN IF NOT EXISTS colour varchar(16) DEFAULT 'n/a' NOT NULL",
    "ALTER TABLE orders ADD COLUMN IF NOT EXISTS gross numeric(12,2) GENERATED ALWAYS AS (total * 1.21) STORED",
    "ALTER TABLE orders ADD CONSTRAINT orders_total_ck CHECK (total IS NULL OR total >= 0) NOT VALID",
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_ck",
    "ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz USING placed AT TIME ZONE 'UTC'",
    # statistics, storage
    "ALTER TABLE orders SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)",
    "ALTER TABLE customers ALTER COLUMN email SET STATISTICS 500",
    "ALTER TABLE baskets ALTER COLUMN lines SET STORAGE EXTERNAL",
    "CREATE STATISTICS IF NOT EXISTS st_orders (dependencies) ON customer_id, placed FROM orders",
    # views
    """CREATE MATERIALIZED VIEW IF NOT EXISTS revenue AS
       SELECT customer_id, sum(total) AS total, count(*) AS orders FROM orders GROUP BY customer_id""",
    "CREATE UNIQUE INDEX IF NOT EXISTS uq_revenue ON revenue (customer_id)",
    "REFRESH MATERIALIZED VIEW revenue",
    "DROP VIEW IF EXISTS best_customers",
    "CREATE VIEW best_customers AS SELECT c.email, r.total FROM customers c JOIN revenue r ON r.customer_id = c.id WHERE r.total > 1000",
    # data
    """INSERT INTO stock.items (sku, title, cents) VALUES
        ('A-1', 'Café "olé" 100%', 350),
        ('B-2', 'It''s {braces} and %s :name \\ back', 990)
       ON CONFLICT (sku) DO UPDATE SET title = EXCLUDED.title, cents = EXCLUDED.cents""",
    """CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value JSONB, updated_at TIMESTAMPTZ DEFAULT now())""",
    """INSERT INTO settings (key, value) VALUES ('vat', '{"rate": 21, "label": "IVA %"}') ON CONFLICT (key)
       DO UPDATE SET value = EXCLUDED.value, updated_at = now()""",
    "UPDATE orders SET total = 0 WHERE total IS NULL",
    """WITH d AS (SELECT id, row_number() OVER (PARTITION BY email ORDER BY id) AS n FROM customers)
       DELETE FROM customers USING d WHERE customers.id = d.id AND d.n > 1
       AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = customers.id)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS uq_customers_email ON customers (email)",
    # both shapes of an old column
    """
    DO $$
    DECLARE
        kind text;
    BEGIN
        SELECT data_type INTO kind FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'customers' AND column_name = 'vip';
        IF kind IS NULL THEN
            ALTER TABLE customers ADD COLUMN vip BOOLEAN NOT NULL DEFAULT FALSE;
        ELSIF kind = 'text' THEN
            ALTER TABLE customers ALTER COLUMN vip DROP DEFAULT;
            ALTER TABLE customers ALTER COLUMN vip TYPE boolean USING vip IN ('y', 'yes');
            ALTER TABLE customers ALTER COLUMN vip SET DEFAULT FALSE;
        ELSE
            RAISE NOTICE 'vip is %', kind;
        END IF;
    END $$
    """,
    # rebuilt at every start
    "ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_number_positive; ALTER TABLE orders ADD CONSTRAINT orders_number_positive CHECK (number > 0)",
    "ALTER TABLE customers ADD COLUMN IF NOT EXISTS tmp_flag int; ALTER TABLE customers DROP COLUMN IF EXISTS tmp_flag",
    "DROP TABLE IF EXISTS import_staging",
    "ALTER SEQUENCE order_numbers OWNED BY orders.number",
    "SELECT setval('order_numbers', GREATEST((SELECT coalesce(max(number), 1000) FROM orders), 1000))",
    "COMMENT ON INDEX uq_customers_email IS 'one account an address'",
    "COMMENT ON CONSTRAINT orders_total_ck ON orders IS 'never below zero'",
]
