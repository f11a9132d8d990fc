"""One agent tool, one file: name, description, arguments with their limits, handler.

A tool is made for one run and works on what it was made with; nothing a model writes
widens that. What a model may not ask for, or wrote wrongly, is answered in words for
it to read (RS 7.5).
"""
