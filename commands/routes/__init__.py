"""The HTTP doors that change something. The only place here that knows Litestar."""
