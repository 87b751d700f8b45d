"""A secret of a tenant (or of the whole platform), filed by category and name."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp, UuidKey


class Credential(Base):
    __tablename__ = "credentials"
    __table_args__ = (
        CheckConstraint("scope IN ('global', 'tenant')", name="credentials_scope_check"),
        Index("idx_credentials_tenant_category", "tenant_id", "category"),
        Index("uq_credentials_global_name", "name", unique=True, postgresql_where=text("scope = 'global'")),
        {"comment": "Claves de terceros por tenant; scope = global es de la plataforma"},
    )

    id: Mapped[UuidKey]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(String(20), default="tenant", server_default="tenant")
    category: Mapped[str] = mapped_column(String(50), default="general", server_default="general")
    name: Mapped[str | None] = mapped_column(String(255))
    value: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
