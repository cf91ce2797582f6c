"""What librdkafka reads of a topic with read_committed, a line for each record: partition, offset, key. Waits for transactions that are still open."""
import sys
import time
import uuid

from confluent_kafka import Consumer, TopicPartition

bootstrap, topic = sys.argv[1], sys.argv[2]
ends = [int(end) for end in sys.argv[3].split(",")]
reader = Consumer({
    "bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()), "isolation.level": "read_committed",
    "enable.auto.commit": False, "auto.offset.reset": "error",
})
reader.assign([TopicPartition(topic, partition, 0) for partition in range(len(ends))])
deadline = time.monotonic() + 120


def is_done():
    places = reader.position([TopicPartition(topic, partition) for partition in range(len(ends))])
    return all(place.offset >= ends[place.partition] or ends[place.partition] == 0 for place in places)


while not is_done():
    if time.monotonic() > deadline:
        raise SystemExit("the topic has not been read to its end within two minutes")
    for message in reader.consume(10_000, timeout=0.5):
        if message.error():
            raise SystemExit(str(message.error()))
        sys.stdout.write(f"{message.partition()} {message.offset()} {message.key().decode()}\n")
reader.close()
