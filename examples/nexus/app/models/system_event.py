"""What happened in the platform: one row for each event, newest read first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp, UuidKey


class SystemEvent(Base):
    __tablename__ = "system_events"
    __table_args__ = (
        Index("idx_system_events_created", text("created_at DESC")),
        Index("idx_system_events_tenant_level", "tenant_id", "level"),
        Index("idx_system_events_errors", "event_type", postgresql_where=text("level = 'error'")),
    )

    id: Mapped[UuidKey]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="SET NULL"))
    level: Mapped[str] = mapped_column(String(20), default="info", server_default="info")
    event_type: Mapped[str] = mapped_column(String(100))
    message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
