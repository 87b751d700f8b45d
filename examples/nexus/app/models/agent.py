"""An assistant of a tenant. No step of the repair list creates this table: only this model knows it."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Boolean, ForeignKey, Index, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp, UuidKey


class Agent(Base):
    __tablename__ = "agents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        Index("idx_agents_tenant_active", "tenant_id", postgresql_where=text("is_active")),
    )

    id: Mapped[UuidKey]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    model: Mapped[str] = mapped_column(String(80), default="gpt-4o-mini", server_default="gpt-4o-mini")
    temperature: Mapped[Decimal] = mapped_column(Numeric(3, 2), default=Decimal("0.30"), server_default=text("0.30"))
    instructions: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    created_at: Mapped[Timestamp]
