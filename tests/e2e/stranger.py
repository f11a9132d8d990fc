import json
import sqlite3

from kafka import KafkaConsumer

FRESH = """INSERT INTO seen VALUES (?, ?) ON CONFLICT DO UPDATE
    SET position = excluded.position WHERE excluded.position > position"""
COUNT = "INSERT INTO said VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1"
options = {"bootstrap_servers": "127.0.0.1:9092", "isolation_level": "read_committed"}
options |= {"group_id": "said", "enable_auto_commit": False}
options |= {"auto_offset_reset": "earliest"}
consumer = KafkaConsumer("palimpsest.events.v1", **options)
db = sqlite3.connect("said.db")
db.execute("CREATE TABLE IF NOT EXISTS seen (shard PRIMARY KEY, position)")
db.execute("CREATE TABLE IF NOT EXISTS said (author PRIMARY KEY, n)")
while True:
    for records in consumer.poll(timeout_ms=1000).values():
        with db:  # what is counted and how far that is: both or neither
            for record in records:
                header = {name: value.decode() for name, value in record.headers}
                place = int(header["ce_shard"]), int(header["ce_position"])
                is_fresh = db.execute(FRESH, place).rowcount
                if is_fresh and header["ce_type"] == "message-added":
                    db.execute(COUNT, (json.loads(record.value)["author"],))
    consumer.commit()
