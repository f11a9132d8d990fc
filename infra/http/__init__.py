"""The HTTP server: application, errors, validation, correlation."""
