"""Collections of vectors on a live server: which one serves, which one is filled.

Law: one collection serves all reads, and never a half-full one while another is full.
A change of ``EMBEDDING_*`` fills the new one behind it, from the log; when nothing is
missing the two change places in one statement, on record before anybody sees it. Of
several processes one does each of this, and all follow the record.
"""
