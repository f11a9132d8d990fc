"""What held at a position, in tables of position intervals."""

NOW = 9_223_372_036_854_775_807
"""The position no event will reach: as of it means as it stands."""

AS_OF = "from_position <= $1 AND (to_position IS NULL OR to_position > $1)"
"""What held at the position $1, in a table of position intervals."""
