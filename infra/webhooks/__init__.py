"""Webhooks on the wire: what is due, when, and how it is signed and sent."""
