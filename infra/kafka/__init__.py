"""Kafka: the log copied to a topic, and what is fed from it (architecture section 5).

Law: the log is what is true; the topic can be lost and made again from it. kafka-python
blocks, so its clients live in threads of their own and never on the event loop. A
record's place is ``partition_of(shard)``, its order the order of positions; whoever
consumes drops by position what it has seen, in the transaction of its effect.
"""
