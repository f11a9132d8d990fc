"""The demonstration: a conversation that ships with the project, and its tour."""
