"""The offline engine: memory without a model, as pure functions of what was said.

It knows the standard library only: no clock, no input or output, no chance. The same
messages give the same conclusions, summaries and answers for ever.
"""
