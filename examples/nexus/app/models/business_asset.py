"""A piece of a tenant's knowledge: catalogue, price list, brand guide."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp, UuidKey


class BusinessAsset(Base):
    __tablename__ = "business_assets"
    __table_args__ = (Index("idx_business_assets_tenant_type", "tenant_id", "asset_type"),)

    id: Mapped[UuidKey]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    asset_type: Mapped[str] = mapped_column(String(50))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    title: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
