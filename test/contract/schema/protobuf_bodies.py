"""Messages that Google's own Protobuf writes, with generated values, by a seed: first the schema as a descriptor, then one JSON object a line, with the text that the message should become."""
import base64
import json
import random
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2, wrappers_pb2  # noqa: F401

chance = random.Random(int(sys.argv[1]))
COUNT = int(sys.argv[2])
F = descriptor_pb2.FieldDescriptorProto
INTS = {
    "int32": (F.TYPE_INT32, 31, True), "sint32": (F.TYPE_SINT32, 31, True), "sfixed32": (F.TYPE_SFIXED32, 31, True),
    "int64": (F.TYPE_INT64, 63, True), "sint64": (F.TYPE_SINT64, 63, True), "sfixed64": (F.TYPE_SFIXED64, 63, True),
    "uint32": (F.TYPE_UINT32, 32, False), "fixed32": (F.TYPE_FIXED32, 32, False),
    "uint64": (F.TYPE_UINT64, 64, False), "fixed64": (F.TYPE_FIXED64, 64, False),
}
OTHERS = {"double": F.TYPE_DOUBLE, "float": F.TYPE_FLOAT, "bool": F.TYPE_BOOL, "string": F.TYPE_STRING, "bytes": F.TYPE_BYTES}
SCALARS = [*INTS, *OTHERS]


def quote(value):
    return json.dumps(value, ensure_ascii=False)


def scalar(kind):
    """A value and its text."""
    if kind in INTS:
        _, bits, signed = INTS[kind]
        low = -(2**bits) if signed else 0
        value = chance.choice([0, 1, low, 2**bits - 1, chance.randint(low, 2**bits - 1)])
        return value, str(value)
    if kind in ("double", "float"):
        # Eighths are exact in both, and the same text everywhere.
        value = chance.randint(-(10**6), 10**6) / 8
        return value, repr(value).removesuffix(".0").replace("-0", "0" if value == 0 else "-0")
    if kind == "bool":
        value = chance.random() < 0.5
        return value, "true" if value else "false"
    if kind == "string":
        value = "".join(chance.choice(["a", "é", "漢", "😀", '"', "\\", "\n", "\u0000"]) for _ in range(chance.randint(0, 6)))
        return value, quote(value)
    value = chance.randbytes(chance.randint(0, 6))
    return value, quote(base64.b64encode(value).decode())


def field(name, number, kind, repeated=False, **more):
    type_ = INTS[kind][0] if kind in INTS else OTHERS.get(kind, F.TYPE_MESSAGE)
    label = F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL
    return F(name=name, number=number, type=type_, label=label, **more)


file = descriptor_pb2.FileDescriptorProto(name="all.proto", package="p", syntax="proto3")
file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"])
top = file.message_type.add(name="All")
number = 0
plan = []
for shape in ("one", "many", "map", "optional"):
    for kind in SCALARS:
        if shape == "map" and kind in ("double", "float", "bytes"):
            continue
        number += 1
        name = f"{shape}_{kind}"
        plan.append((shape, kind, name))
        if shape == "map":
            entry = top.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
            entry.options.map_entry = True
            entry.field.extend([field("key", 1, kind), field("value", 2, "string")])
            top.field.append(field(name, number, "message", True, type_name=f".p.All.{entry.name}"))
        elif shape == "optional":
            top.field.append(field(name, number, kind, oneof_index=len(top.oneof_decl), proto3_optional=True))
            top.oneof_decl.add(name=f"_{name}")
        else:
            top.field.append(field(name, number, kind, shape == "many"))
for shape, type_name in (("at", ".google.protobuf.Timestamp"), ("wrapped", ".google.protobuf.Int64Value"), ("self", ".p.All")):
    number += 1
    plan.append((shape, "message", f"field_{shape}"))
    top.field.append(field(f"field_{shape}", number, "message", type_name=type_name))

pool = descriptor_pool.Default()
pool.Add(file)
All = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.All"))


def message(depth):
    made, parts = All(), []
    for shape, kind, name in plan:
        sent = chance.random() < 0.4
        if shape == "one":
            value, text = scalar(kind) if sent else (None, {"bool": "false", "string": '""', "bytes": '""'}.get(kind, "0"))
            if sent:
                setattr(made, name, value)
        elif shape == "many":
            values = [scalar(kind) for _ in range(chance.randint(1, 5))] if sent else []
            getattr(made, name).extend(v for v, _ in values)
            text = "[" + ",".join(t for _, t in values) + "]"
        elif shape == "map":
            # One entry: their order on the wire is the writer's own.
            key, key_text = scalar(kind)
            value, value_text = scalar("string")
            if sent:
                getattr(made, name)[key] = value
            text = "{" + (key_text if kind == "string" else quote(key_text)) + ":" + value_text + "}" if sent else "{}"
        elif not sent:
            continue
        elif shape == "optional":
            value, text = scalar(kind)
            setattr(made, name, value)
        elif shape == "at":
            made.field_at.FromMilliseconds(chance.randint(-10**12, 10**13))
            text = quote(made.field_at.ToJsonString().replace("Z", "") + (".000Z" if made.field_at.nanos == 0 else "Z"))
        elif shape == "wrapped":
            value, text = scalar("int64")
            made.field_wrapped.value = value
            made.field_wrapped.SetInParent()
        else:
            if depth == 0:
                continue
            inner, text = message(depth - 1)
            made.field_self.CopyFrom(inner)
        parts.append(quote(name) + ":" + text)
    return made, "{" + ",".join(parts) + "}"


print(json.dumps({"schema": base64.b64encode(file.SerializeToString()).decode()}))
for _ in range(COUNT):
    made, text = message(2)
    print(json.dumps({"body": made.SerializeToString().hex(), "text": text}))
