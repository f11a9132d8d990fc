"""Language models spoken to over the OpenAI protocol, through its official SDK.

Law: what was said never reaches a log, and nobody is asked but the endpoint that
settings name.
"""
