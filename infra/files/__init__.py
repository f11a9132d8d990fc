"""Files that people upload, made readable."""
