# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
insert-tools: 15. Tools de fábrica

Revision ID: bf2da51d381a
Revises: b72815ae954c
Kind: step
Step: insert-tools (examples/nexus/main.py:474)
Checksum: c1:f8176524bbfe9c03a0edb95176e5d81eb3145a652547b25c9dad2b34e277102b
Translation: 0 of 1 statement as Alembic operations
  verbatim (1): it touches rows
Downgrade: none: the step's own SQL was run (it touches rows)

SQL of the step, as the list has it:

        INSERT INTO tools (name, type, service_url, prompt_injection, response_guide) VALUES
            ('search_products', 'http', 'http://tiendanube-service:8000/products',
             'Usá esta tool antes de hablar de precios.', 'Máximo 3 productos, con foto y precio.'),
            ('order_status', 'http', 'http://tiendanube-service:8000/orders',
             'Pedí el número de orden (#1234) si no lo dieron.', NULL),
            ('derivhumano', 'internal', NULL,
             'Solo si el cliente lo pide o está enojado.', 'Avisá que responde una persona en menos de 24 h.'),
            ('business_hours', 'internal', NULL, NULL, NULL)
        ON CONFLICT (name) DO NOTHING;
"""

from alembic import op

from omega_bridge.errors import Irreversible
import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "bf2da51d381a"
down_revision = "b72815ae954c"
branch_labels = None
depends_on = None

steps = ("insert-tools",)
checksums = ("c1:f8176524bbfe9c03a0edb95176e5d81eb3145a652547b25c9dad2b34e277102b",)


def upgrade() -> None:
    op.run_step("""\

    INSERT INTO tools (name, type, service_url, prompt_injection, response_guide) VALUES
        ('search_products', 'http', 'http://tiendanube-service:8000/products',
         'Usá esta tool antes de hablar de precios.', 'Máximo 3 productos, con foto y precio.'),
        ('order_status', 'http', 'http://tiendanube-service:8000/orders',
         'Pedí el número de orden (#1234) si no lo dieron.', NULL),
        ('derivhumano', 'internal', NULL,
         'Solo si el cliente lo pide o está enojado.', 'Avisá que responde una persona en menos de 24 h.'),
        ('business_hours', 'internal', NULL, NULL, NULL)
    ON CONFLICT (name) DO NOTHING;
    """)


def downgrade() -> None:
    raise Irreversible(
        "revision bf2da51d381a (insert-tools) has no way back: the step's own SQL was run (it touches rows)",
        hint="Restore a backup, or write the way back by hand; what the revision did is in the ledger.",
    )
