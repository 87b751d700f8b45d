"""When and where a tenant's assistant hands a conversation over to a person."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Boolean, Enum, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Timestamp, UuidKey


class HandoffChannel(StrEnum):
    """How the person is told."""

    EMAIL = "email"
    WHATSAPP = "whatsapp"
    SLACK = "slack"


class TenantHumanHandoffConfig(Base):
    __tablename__ = "tenant_human_handoff_config"
    __table_args__ = (Index("uq_handoff_tenant", "tenant_id", unique=True),)

    id: Mapped[UuidKey]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    enabled: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    destination_email: Mapped[str | None] = mapped_column(String(255))
    handoff_instructions: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    channel: Mapped[HandoffChannel] = mapped_column(
        Enum(HandoffChannel, name="handoff_channel", values_callable=lambda members: [m.value for m in members]),
        default=HandoffChannel.EMAIL,
        server_default="email",
    )
    trigger_keywords: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'::text[]"))
    notify_after_minutes: Mapped[int] = mapped_column(default=5, server_default=text("5"))
