"""Schemas, values and bodies that fastavro writes, by a seed: one JSON object a line, with the text that the value should become."""
import base64
import datetime
import decimal
import io
import json
import random
import sys
import uuid

import fastavro

chance = random.Random(int(sys.argv[1]))
COUNT = int(sys.argv[2])
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
names = iter(range(10**9))


def b64(data):
    return json.dumps(base64.b64encode(data).decode())


def text():
    letters = ["a", "Z", "é", "ß", "漢", "😀", '"', "\\", "\n", "\u0000", "\u2028", "/"]
    return "".join(chance.choice(letters) for _ in range(chance.randint(0, 8)))


def quote(value):
    return json.dumps(value, ensure_ascii=False)


def long():
    return chance.choice([0, -1, 2**31, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), chance.randint(-(2**63), 2**63 - 1)])


def decimal_of(precision, scale):
    unscaled = chance.randint(-(10**precision) + 1, 10**precision - 1)
    value = decimal.Decimal(unscaled).scaleb(-scale, decimal.Context(prec=precision + 1))
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    whole = digits if scale == 0 else digits[:-scale] + "." + digits[-scale:]
    number = ("-" if unscaled < 0 else "") + whole
    return value, quote(number) if len(str(abs(unscaled))) > 38 else number


def millis(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (moment.microsecond // 1000)


def leaf():
    """A schema, and what makes a value and its text."""
    kind = chance.randint(0, 13)
    if kind == 0:
        return "null", lambda: (None, "null")
    if kind == 1:
        return "boolean", lambda: (lambda v: (v, "true" if v else "false"))(chance.random() < 0.5)
    if kind == 2:
        return "int", lambda: (lambda v: (v, str(v)))(chance.randint(-(2**31), 2**31 - 1))
    if kind == 3:
        return "long", lambda: (lambda v: (v, str(v)))(long())
    if kind == 4:
        # Eighths are the same text everywhere.
        return "double", lambda: (lambda v: (v / 8, repr(v / 8).removesuffix(".0")))(chance.randint(1, 10**9))
    if kind == 5:
        return "string", lambda: (lambda v: (v, quote(v)))(text())
    if kind == 6:
        return "bytes", lambda: (lambda v: (v, b64(v)))(chance.randbytes(chance.randint(0, 9)))
    if kind == 7:
        size = chance.randint(1, 9)
        schema = {"type": "fixed", "name": f"F{next(names)}", "size": size}
        return schema, lambda: (lambda v: (v, b64(v)))(chance.randbytes(size))
    if kind == 8:
        schema = {"type": "enum", "name": f"E{next(names)}", "symbols": ["A", "B", "C"]}
        return schema, lambda: (lambda v: (v, quote(v)))(chance.choice("ABC"))
    if kind == 9:
        precision = chance.randint(1, 45)
        scale = chance.randint(0, precision)
        schema = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
        return schema, lambda: decimal_of(precision, scale)
    if kind == 10:
        schema = {"type": "int", "logicalType": "date"}
        return schema, lambda: (lambda v: (v.date(), quote(v.strftime("%Y-%m-%dT00:00:00.000Z"))))(moment())
    if kind == 11:
        schema = {"type": "long", "logicalType": "timestamp-millis"}
        return schema, lambda: (lambda v: (v, quote(millis(v))))(moment())
    if kind == 12:
        schema = {"type": "int", "logicalType": "time-millis"}
        return schema, lambda: (lambda v: (v.time(), quote(millis(v)[11:])))(moment())
    schema = {"type": "string", "logicalType": "uuid"}
    return schema, lambda: (lambda v: (v, quote(str(v))))(uuid.UUID(bytes=chance.randbytes(16), version=4))


def moment():
    return EPOCH + datetime.timedelta(milliseconds=chance.randint(-30_000_000_000_000, 100_000_000_000_000))


def typed(depth):
    kind = chance.randint(0, 7) if depth > 0 else 7
    if kind == 0:
        schema, make = typed(depth - 1)

        def items():
            made = [make() for _ in range(chance.randint(0, 4))]
            return [v for v, _ in made], "[" + ",".join(t for _, t in made) + "]"

        return {"type": "array", "items": schema}, items
    if kind == 1:
        schema, make = typed(depth - 1)

        def entries():
            made = {text(): make() for _ in range(chance.randint(0, 4))}
            return {k: v for k, (v, _) in made.items()}, "{" + ",".join(quote(k) + ":" + t for k, (_, t) in made.items()) + "}"

        return {"type": "map", "values": schema}, entries
    if kind == 2:
        schema, make = leaf()
        if schema == "null":
            schema, make = "string", lambda: ("x", '"x"')
        return ["null", schema], lambda: (None, "null") if chance.random() < 0.4 else make()
    if kind <= 5:
        fields = [typed(depth - 1) for _ in range(chance.randint(0, 5))]
        schema = {
            "type": "record",
            "name": f"R{next(names)}",
            "fields": [{"name": f"f{i}", "type": s} for i, (s, _) in enumerate(fields)],
        }

        def values():
            made = [make() for _, make in fields]
            return (
                {f"f{i}": v for i, (v, _) in enumerate(made)},
                "{" + ",".join(f'"f{i}":{t}' for i, (_, t) in enumerate(made)) + "}",
            )

        return schema, values
    return leaf()


for _ in range(COUNT):
    fields, make = typed(3)
    # In a record, because bytes alone have no length.
    schema = {"type": "record", "name": "Top", "fields": [{"name": "value", "type": fields}]}
    parsed = fastavro.parse_schema(schema)
    value, expected = make()
    body = io.BytesIO()
    fastavro.schemaless_writer(body, parsed, {"value": value})
    print(json.dumps({"schema": json.dumps(schema), "body": body.getvalue().hex(), "text": '{"value":' + expected + "}"}))
