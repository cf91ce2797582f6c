"""Writes records with the real serializers of a schema registry: Avro in three versions, Protobuf with an import and a nested type, JSON Schema, and what is broken."""
import datetime
import decimal
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, timestamp_pb2

BOOTSTRAP, URL, AVRO, PROTOBUF, JSON = sys.argv[1:6]
registry = SchemaRegistryClient({"url": URL})
producer = Producer({"bootstrap.servers": BOOTSTRAP})
MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)


def send(topic, value, key=None):
    producer.produce(topic, value=value, key=key, partition=0)


def of_value(topic):
    return SerializationContext(topic, MessageField.VALUE)


def avro():
    field = '{"name":"order_id","type":"string"},{"name":"user_id","type":"long"}'
    amount = '{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":2}}'
    at = '{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}'
    note = '{"name":"note","type":["null","string"],"default":null}'
    channel = '{"name":"channel","type":{"type":"enum","name":"Channel","symbols":["WEB","APP"]},"default":"WEB"}'
    record = '{"type":"record","name":"Order","namespace":"shop","fields":[%s]}'
    first = AvroSerializer(registry, record % ",".join([field, amount, at, note]))
    wider = AvroSerializer(registry, record % ",".join([field, amount, at, note, channel]))
    narrower = AvroSerializer(registry, record % field)
    key = AvroSerializer(registry, '"string"')
    value = {"order_id": "o-1", "user_id": 9007199254740993, "amount": decimal.Decimal("123456789012345678.90"), "at": MOMENT, "note": None}
    send(AVRO, first(value, of_value(AVRO)), key("k-1", SerializationContext(AVRO, MessageField.KEY)))
    send(AVRO, wider({**value, "order_id": "o-2", "note": "é", "channel": "APP"}, of_value(AVRO)), b"k-2")
    send(AVRO, first({**value, "order_id": "o-3"}, of_value(AVRO)))
    send(AVRO, narrower({"order_id": "o-4", "user_id": -1}, of_value(AVRO)))
    send(AVRO, b'{"order_id":"o-5","user_id":5}')
    broken = first(value, of_value(AVRO))
    send(AVRO, broken[:-3])
    send(AVRO, b"\x00\x00\x00\x27\x0f\x02")


COMMON = """
name: "shop/common.proto" package: "shop" syntax: "proto3"
message_type { name: "Money"
  field { name: "currency" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
  field { name: "units" number: 2 label: LABEL_OPTIONAL type: TYPE_INT64 } }
enum_type { name: "Color" value { name: "RED" number: 0 } value { name: "BLUE" number: 1 } }
"""
ORDER = """
name: "shop/order.proto" package: "shop" syntax: "proto3" dependency: "shop/common.proto" dependency: "google/protobuf/timestamp.proto"
message_type { name: "Order"
  field { name: "user_id" number: 1 label: LABEL_OPTIONAL type: TYPE_INT64 }
  field { name: "counts" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".shop.Order.CountsEntry" }
  field { name: "price" number: 3 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".shop.Money" }
  field { name: "at" number: 4 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }
  field { name: "lines" number: 5 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".shop.Order.Line" }
  field { name: "card" number: 6 label: LABEL_OPTIONAL type: TYPE_STRING oneof_index: 0 }
  field { name: "cash" number: 7 label: LABEL_OPTIONAL type: TYPE_BOOL oneof_index: 0 }
  oneof_decl { name: "how" }
  nested_type { name: "CountsEntry" options { map_entry: true }
    field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
    field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_INT32 } }
  nested_type { name: "Line"
    field { name: "user_id" number: 1 label: LABEL_OPTIONAL type: TYPE_UINT64 }
    field { name: "color" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".shop.Color" } } }
"""


def protobuf():
    pool = descriptor_pool.Default()
    for text in (COMMON, ORDER):
        pool.Add(text_format.Parse(text, descriptor_pb2.FileDescriptorProto()))
    of = lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    Order, Line, Money = of("shop.Order"), of("shop.Order.Line"), of("shop.Money")
    at = timestamp_pb2.Timestamp()
    at.FromDatetime(MOMENT)
    order = Order(user_id=9007199254740993, counts={"a": -1}, price=Money(currency="EUR", units=12), at=at, lines=[Line(user_id=2**64 - 1, color=1)], cash=False)
    of_order = ProtobufSerializer(Order, registry, {"use.deprecated.format": False})
    of_line = ProtobufSerializer(Line, registry, {"use.deprecated.format": False})
    send(PROTOBUF, of_order(order, of_value(PROTOBUF)))
    send(PROTOBUF, of_order(Order(), of_value(PROTOBUF)))
    send(PROTOBUF, of_line(Line(user_id=7, color=9), of_value(PROTOBUF)))
    send(PROTOBUF, of_order(order, of_value(PROTOBUF))[:-3])


def json_schema():
    schema = '{"$schema":"http://json-schema.org/draft-07/schema#","title":"Click","type":"object","properties":{"user_id":{"type":"integer"}}}'
    serializer = JSONSerializer(schema, registry)
    send(JSON, serializer({"user_id": 12345678901234567890, "page": "/menu"}, of_value(JSON)))
    send(JSON, b'{"user_id": 6}')
    send(JSON, None, b"k")


avro()
protobuf()
json_schema()
if producer.flush(30) > 0:
    sys.exit("not everything was sent")
