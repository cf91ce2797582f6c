"""Transactional producers of librdkafka, by a seed; prints the places (partition, offset) that librdkafka's own consumer reads with read_committed."""
import json
import random
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP, TOPIC, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3])
PARTITIONS = 3
chance = random.Random(SEED)


def producer():
    made = Producer({
        "bootstrap.servers": BOOTSTRAP, "transactional.id": str(uuid.uuid4()), "linger.ms": 0,
        "compression.type": chance.choice(["none", "gzip", "snappy", "lz4", "zstd"]),
    })
    made.init_transactions(20)
    return made


def put(one, count, partition, key=None, pad=0):
    """Flushed: what a producer still holds when it aborts never reaches the broker."""
    for _ in range(count):
        one.produce(TOPIC, value=json.dumps({"order_id": "o", "pad": "x" * pad}), key=key, partition=partition)
    one.flush(20)


def overlapping():
    """Two that abort in the other order than they began; then one that commits."""
    a, b, c = producer(), producer(), producer()
    a.begin_transaction(), put(a, 3, 0), b.begin_transaction(), put(b, 3, 0), put(a, 2, 0)
    b.abort_transaction(20), put(a, 2, 0), a.abort_transaction(20)
    c.begin_transaction(), put(c, 4, 0), c.commit_transaction(20)
    # The producer that aborted commits next: nothing of that may be missing.
    b.begin_transaction(), put(b, 2, 0), b.commit_transaction(20)


def zero_keys():
    """A key of four zero bytes looks like a control record's."""
    a = producer()
    a.begin_transaction()
    for index in range(6):
        put(a, 1, 1, key=index.to_bytes(4, "big"))
    a.abort_transaction(20)
    a.begin_transaction(), put(a, 2, 1, key=bytes(4)), a.commit_transaction(20)


def long_ones():
    """Larger than a fetch, so that fetches begin inside of several transactions."""
    all_of_them = [producer() for _ in range(4)]
    for one in all_of_them:
        one.begin_transaction()
    for _ in range(30):
        for one in all_of_them:
            put(one, 3, 2, pad=3000)
    for index, one in enumerate(all_of_them):
        one.commit_transaction(20) if index == 2 else one.abort_transaction(20)


def at_random():
    all_of_them = [producer() for _ in range(5)]
    open_ones = set()
    for _ in range(150):
        one = chance.choice(all_of_them)
        if one not in open_ones:
            one.begin_transaction()
            open_ones.add(one)
        key = chance.choice([None, bytes(4), b"\0\0\0\1", b"key"])
        put(one, chance.randint(1, 5), chance.randrange(PARTITIONS), key, chance.choice([0, 0, 20_000]))
        if chance.random() < 0.3:
            open_ones.remove(one)
            one.abort_transaction(20) if chance.random() < 0.5 else one.commit_transaction(20)
    for one in open_ones:
        one.abort_transaction(20)


def committed():
    reader = Consumer({
        "bootstrap.servers": BOOTSTRAP, "group.id": str(uuid.uuid4()), "isolation.level": "read_committed",
        "enable.partition.eof": True, "enable.auto.commit": False,
    })
    reader.assign([TopicPartition(TOPIC, partition, 0) for partition in range(PARTITIONS)])
    places, ended = [], set()
    while len(ended) < PARTITIONS:
        message = reader.poll(20)
        if message is None:
            raise SystemExit("the reader got nothing for 20 seconds")
        if message.error():
            ended.add(message.partition())
        else:
            places.append([message.partition(), message.offset()])
    reader.close()
    return sorted(places)


overlapping(), zero_keys(), long_ones(), at_random()
print(json.dumps(committed()))
