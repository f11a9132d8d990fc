"""A cross-encoder behind ``/rerank``: it reads question and text together.

Law: off unless ``RERANK_URL`` is set, bounded in time, and never in the way: where it
does not answer, search keeps the order it had, and says so.
"""
