"""Who may come in: keys (signed tokens) made, read, and what they claim (HC 4)."""
