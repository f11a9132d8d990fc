"""The commands of ``palimpsest``: one file each, thin over what does the work."""
