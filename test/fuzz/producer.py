"""Makes a topic, sends the records that come in as lines of JSON, and prints where each one landed: index, partition, offset."""
import base64
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
# Times of any size: by default a broker takes none that lie in the future.
config = {"message.timestamp.after.max.ms": str(2**63 - 1), "max.message.bytes": "20000000"}
admin = AdminClient({"bootstrap.servers": bootstrap})
admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result()

producers = {}


def producer(codec):
    if codec not in producers:
        producers[codec] = Producer(
            {
                "bootstrap.servers": bootstrap,
                "compression.type": codec,
                "linger.ms": 20,
                "message.max.bytes": 20000000,
                "enable.idempotence": True,
                "log_level": 3,
            }
        )
    return producers[codec]


def bytes_of(text):
    return None if text is None else base64.b64decode(text)


def landed(index):
    def report(error, message):
        if error is not None:
            sys.exit(f"record {index} was not sent: {error}")
        print(index, message.partition(), message.offset())

    return report


for index, line in enumerate(sys.stdin):
    record = json.loads(line)
    sender = producer(record["codec"])
    while True:
        try:
            sender.produce(
                topic,
                value=bytes_of(record["value"]),
                key=bytes_of(record["key"]),
                headers=[(name, bytes_of(value)) for name, value in record["headers"]],
                timestamp=record["timestamp"],
                partition=index % partitions,
                on_delivery=landed(index),
            )
            break
        except BufferError:
            sender.poll(0.1)
    sender.poll(0)
for sender in producers.values():
    if sender.flush(60) > 0:
        sys.exit("not all records were sent within a minute")
