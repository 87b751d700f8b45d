"""Nexus, the orchestrator behind the WhatsApp and Instagram assistants of a few dozen shops."""
