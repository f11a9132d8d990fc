"""The topic described for strangers: JSON Schemas of events, and AsyncAPI over them.

Law: all of it follows from the event structs, the wire format and the settings; no
secret of theirs is ever told, and no broker is asked.
"""
