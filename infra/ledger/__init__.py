"""The ledger of calls of models: set aside before, settled after, paid once.

Law: nothing is sent to a provider for a workspace before what it may cost is set
aside, and no answer is lost that was paid for. What was said is sealed.
"""
