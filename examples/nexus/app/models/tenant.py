"""A tenant: one shop with its phone number, its keys and the prompt of its assistant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp


class Tenant(Base):
    __tablename__ = "tenants"
    __table_args__ = (
        Index("idx_tenants_active", "is_active", postgresql_where=text("is_active")),
        Index("idx_tenants_store_name", "store_name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_name: Mapped[str] = mapped_column(String(255))
    bot_phone_number: Mapped[str] = mapped_column(String(32), unique=True)
    owner_email: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    openai_api_key: Mapped[str | None] = mapped_column(String(255))
    new_feature_flag: Mapped[bool | None] = mapped_column(Boolean, default=False, server_default=text("false"))
    system_prompt: Mapped[str | None] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(
        String(64), default="America/Argentina/Buenos_Aires", server_default="America/Argentina/Buenos_Aires"
    )
    monthly_token_limit: Mapped[int | None] = mapped_column(
        default=100_000, server_default=text("100000"), comment="NULL = sin tope"
    )
    country_code: Mapped[str | None] = mapped_column(String(2))
    tool_config: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
