"""Views folded anew from the log, beside a server that goes on serving the old ones.

Law: until the one short transaction at the end nobody sees any of it, and whatever
fails or is killed before leaves the live views as they are. What is folded is kept with
its position, so a rebuild that was broken off goes on where it was. No model and no
embedder is asked: everything they ever said is in the log and beside it.
"""
