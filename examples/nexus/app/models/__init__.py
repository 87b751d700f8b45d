"""Every model of the orchestrator. A table that is not imported here does not exist for ``Base.metadata``."""

from app.models.agent import Agent
from app.models.base import Base
from app.models.business_asset import BusinessAsset
from app.models.chat import ChatConversation, ChatMedia, ChatMediaType, ChatMessage
from app.models.credential import Credential
from app.models.customer import Customer
from app.models.handoff import HandoffChannel, TenantHumanHandoffConfig
from app.models.system_event import SystemEvent
from app.models.tenant import Tenant
from app.models.tool import Tool
from app.models.user import User

__all__ = [
    "Agent",
    "Base",
    "BusinessAsset",
    "ChatConversation",
    "ChatMedia",
    "ChatMediaType",
    "ChatMessage",
    "Credential",
    "Customer",
    "HandoffChannel",
    "SystemEvent",
    "Tenant",
    "TenantHumanHandoffConfig",
    "Tool",
    "User",
]
