"""A service with a list that grew in three places, read as text by the tests and never imported."""

import asyncio

from nowhere_to_be_found.db import engine

SCHEMA = "orders"

# -- schema ---------------------------------------------------------------------------------------------------
its_list = [
    # orders: base table
    """
    CREATE TABLE IF NOT EXISTS orders (
        id BIGSERIAL PRIMARY KEY,
        customer TEXT NOT NULL,
        total NUMERIC(12,2) NOT NULL DEFAULT 0,
        placed_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP
    );
    """,
    # lines before products exist: swallowed on the first run
    """
    DO $$
    BEGIN
        CREATE TABLE IF NOT EXISTS order_lines (
            order_id BIGINT REFERENCES orders(id) ON DELETE CASCADE,
            product_id INTEGER REFERENCES products(id),
            quantity INTEGER NOT NULL CHECK (quantity > 0),
            PRIMARY KEY (order_id, product_id)
        );
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'order_lines: %', SQLERRM;
    END $$;
    """,
    "CREATE TABLE IF NOT EXISTS products (id SERIAL PRIMARY KEY, sku VARCHAR(40) UNIQUE NOT NULL, price NUMERIC(12,2))",
    "ALTER TABLE orders ADD COLUMN IF NOT EXISTS status VARCHAR(16) DEFAULT 'new'",
    "CREATE INDEX IF NOT EXISTS idx_orders_status ON orders (status) WHERE status <> 'done'",
]

# states as a type
its_list += [
    "DO $$ BEGIN CREATE TYPE order_state AS ENUM ('new', 'paid', 'sent'); EXCEPTION WHEN duplicate_object THEN null; END $$;",
    """DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'state' AND NOT attisdropped) THEN
            ALTER TABLE orders ADD COLUMN state order_state NOT NULL DEFAULT 'new';
        END IF;
    END $$;""",
]


def more():
    """Not part of the list."""
    return ["DROP TABLE orders"]


its_list.extend(
    [
        "ALTER TABLE orders ALTER COLUMN customer DROP NOT NULL",
        "COMMENT ON COLUMN orders.total IS 'gross, 100% of it: no :discount'",
        "INSERT INTO products (sku, price) VALUES ('a-1', 9.90), ('b''2', 12) ON CONFLICT (sku) DO NOTHING",
    ]
)
its_list.append("CREATE UNIQUE INDEX IF NOT EXISTS uq_products_sku_lower ON products (lower(sku))")


async def main():
    """The loop that this list is for."""
    async with engine.begin() as conn:
        for step in its_list:
            await conn.exec_driver_sql(step)


if __name__ == "__main__":
    asyncio.run(main())
