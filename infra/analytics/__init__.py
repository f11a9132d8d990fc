"""Daily roll-ups of each workspace, kept by a consumer of the topic like any other.

Law: it needs no data key and decodes clear fields only. Positions are folded in their
order, each once: what it counts and how far it came are one transaction. All of it can
be dropped and counted again from the topic, with the same result.

Beside the counts it keeps what later events only name: of each message that waits to be
derived when it came, until it is; and of each conclusion its level, for it may be
retracted or reinforced at any time, by its id alone, until its session is erased. No id
is kept to count anything once: positions do that, and the log has each call once.

A day is a day of UTC, by when an event was recorded. Erasing a session takes away what
is remembered of its ids, not what was counted: numbers hold nobody's words. Erasing a
workspace takes away all that was counted in it.
"""
