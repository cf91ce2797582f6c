"""fakesnow answers in Arrow, which the Node driver cannot read; here its answers become Snowflake's JSON rowsets."""
import base64
import datetime
import json
from decimal import Decimal

import pyarrow as pa

PARAMETERS = [
    {"name": "TIMEZONE", "value": "Etc/UTC"},
    {"name": "DATE_OUTPUT_FORMAT", "value": "YYYY-MM-DD"},
    {"name": "TIME_OUTPUT_FORMAT", "value": "HH24:MI:SS"},
    {"name": "TIMESTAMP_OUTPUT_FORMAT", "value": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"},
    {"name": "TIMESTAMP_NTZ_OUTPUT_FORMAT", "value": "YYYY-MM-DD HH24:MI:SS.FF3"},
    {"name": "TIMESTAMP_LTZ_OUTPUT_FORMAT", "value": ""},
    {"name": "TIMESTAMP_TZ_OUTPUT_FORMAT", "value": ""},
    {"name": "BINARY_OUTPUT_FORMAT", "value": "HEX"},
]
EPOCH = datetime.date(1970, 1, 1)


def cell(value, kind):
    # fakesnow gives a NULL among timestamps as a struct without an epoch.
    if value is None or (isinstance(value, dict) and kind.startswith("timestamp") and value["epoch"] is None):
        return None
    if kind.startswith("timestamp"):
        text = f"{value['epoch']}.{value['fraction']:09d}"
        return f"{text} {value.get('timezone', 1440)}" if kind == "timestamp_tz" else text
    if kind == "time":
        return f"{value // 10**9}.{value % 10**9:09d}"
    if kind == "boolean":
        return "1" if value else "0"
    if kind == "date":
        return str((value - EPOCH).days) if isinstance(value, datetime.date) else str(value)
    if kind == "binary":
        return value.hex().upper()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value)


def to_json_rows(content):
    """Rewrites the body of any answer of fakesnow in place; what is not a result passes unchanged."""
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict) or "rowtype" not in data:
        return content
    if data.get("queryResultFormat") == "arrow":
        encoded = data.pop("rowsetBase64", "")
        table = pa.ipc.open_stream(base64.b64decode(encoded)).read_all() if encoded else None
        kinds = [column["type"] for column in data["rowtype"]]
        columns = [] if table is None else [column.to_pylist() for column in table.columns]
        data["rowset"] = [[cell(v, k) for v, k in zip(row, kinds)] for row in zip(*columns)]
        data["queryResultFormat"] = "json"
    # Without `returned` the driver waits for rows forever.
    data["returned"] = len(data.get("rowset", []))
    data["parameters"] = PARAMETERS
    data.setdefault("version", 1)
    return content
