"""Conversations, their messages and the media that came with them."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Enum, ForeignKey, Index, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigIntKey, Timestamp, UuidKey


class ChatMediaType(StrEnum):
    """What a medium is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"


class ChatConversation(Base):
    __tablename__ = "chat_conversations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "external_user_id", name="uq_chat_conversations_channel_user"),
        Index("idx_chat_conversations_tenant", "tenant_id"),
        Index(
            "idx_chat_conversations_open",
            "tenant_id",
            text("last_message_at DESC"),
            postgresql_where=text("status = 'open'"),
        ),
        Index("idx_chat_conversations_last_message", "last_message_at"),
        Index("idx_chat_conversations_customer", "customer_id"),
    )

    id: Mapped[BigIntKey]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20), default="whatsapp", server_default="whatsapp")
    external_user_id: Mapped[str] = mapped_column(String(128))
    display_name: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), default="open", server_default="open")
    last_message_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Timestamp]
    updated_at: Mapped[Timestamp]
    human_override_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.id", name="fk_chat_conversations_customer", ondelete="SET NULL")
    )
    assigned_agent_id: Mapped[uuid.UUID | None] = mapped_column(
        UUID(as_uuid=True), ForeignKey("agents.id", name="fk_chat_conversations_agent", ondelete="SET NULL")
    )

    messages: Mapped[list[ChatMessage]] = relationship(back_populates="conversation", passive_deletes=True)


class ChatMessage(Base):
    __tablename__ = "chat_messages"
    __table_args__ = (
        Index("idx_chat_messages_conversation", "conversation_id", "created_at"),
        Index("idx_chat_messages_correlation", "correlation_id", postgresql_where=text("correlation_id IS NOT NULL")),
    )

    id: Mapped[BigIntKey]
    conversation_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("chat_conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str | None] = mapped_column(Text)
    correlation_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[Timestamp]
    message_type: Mapped[str] = mapped_column(String(20), default="text", server_default="text")
    tokens_used: Mapped[int | None]
    latency_ms: Mapped[int | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))

    conversation: Mapped[ChatConversation] = relationship(back_populates="messages")


class ChatMedia(Base):
    __tablename__ = "chat_media"
    __table_args__ = (
        Index("idx_chat_media_message", "message_id"),
        Index("idx_chat_media_tenant_created", "tenant_id", "created_at"),
    )

    id: Mapped[UuidKey]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    message_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("chat_messages.id", ondelete="SET NULL"))
    media_type: Mapped[ChatMediaType] = mapped_column(
        Enum(ChatMediaType, name="chat_media_type", values_callable=lambda members: [m.value for m in members])
    )
    storage_url: Mapped[str] = mapped_column(Text)
    mime_type: Mapped[str | None] = mapped_column(String(100))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Timestamp]
    transcription: Mapped[str | None] = mapped_column(Text)
