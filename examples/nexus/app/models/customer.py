"""A customer of a tenant, known by phone number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        Index("uq_customers_tenant_phone", "tenant_id", "phone_number", unique=True),
        Index("idx_customers_email", text("lower(email::text)"), postgresql_where=text("email IS NOT NULL")),
        Index("idx_customers_tenant_created", "tenant_id", "created_at"),
        Index("idx_customers_name_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    phone_number: Mapped[str] = mapped_column(String(50))
    name: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[Timestamp]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
