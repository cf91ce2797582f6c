"""What only the official client asks for: where files would go. The emulator takes rows alone, so that nothing is there."""
import base64
import time

_KEY = base64.b64encode(bytes(32)).decode()
_PARAMETERS = {
    "max_client_lag_seconds": 1,
    # As large as the client takes it: what is sent stays below, as rows.
    "rowset_flush_threshold_kb": 3_500,
    "max_buffered_kb_for_rowset_mode": 60_000,
    "rowset_threshold_lookback_seconds": 60,
    "rowset_threshold_ewma_weight": 50,
    "target_file_size_compressed_mb": 16,
    "cpu_throttle_high_watermark_percent": 90,
    "cpu_throttle_low_watermark_percent": 50,
    "mem_throttle_high_watermark_percent": 90,
    "mem_throttle_low_watermark_percent": 50,
}


def _stage(name):
    return {
        "expiry_time_ms": int(time.time() * 1000) + 3_600_000, "location_type": "S3", "location": f"emulator/{name}/",
        "use_s3_regional_url": False, "region": "us-east-1", "storage_account": "", "storage_endpoint": "localhost:1",
        "bucket_name": "emulator", "path_prefix": f"{name}/",
        "creds": {"AWS_KEY_ID": "none", "AWS_SECRET_KEY": "none", "AWS_TOKEN": "none"}, "parameters": _PARAMETERS,
    }


def pipe_info():
    return {
        "status_code": 0,
        "message": "Success",
        "rowset_stage_location": _stage("rowset"),
        "durable_stage_location": _stage("durable"),
        "encryption_info": {"pipe_key": _KEY, "pipe_key_id": "1", "diversifier": "emulator"},
        "parameter_overrides": {"max_append_request_buffer_duration_ms": 100, "binary_input_format": "BASE64"},
    }
