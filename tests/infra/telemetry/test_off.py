"""What is off costs nothing: not even its packages are imported."""

import subprocess
import sys

HEAVY = (
    *("prometheus_client", "opentelemetry", "cloudevents", "sentry_sdk"),
    *("openai", "anthropic", "httpx", "httpx2", "jsonschema", "sklearn", "rich"),
    *("kafka", "crc32c", "pyarrow"),
)

LOOK = f"""
import asyncio, sys
import infra.serving
from infra.settings import Settings
from infra.telemetry.log_lines import start_logging
from infra.telemetry.telemetry import open_telemetry

async def look():
    start_logging(Settings())
    async with open_telemetry(Settings()) as telemetry:
        assert telemetry.requests == telemetry.deliveries == []

asyncio.run(look())
print([each for each in {HEAVY!r} if each in sys.modules])
"""


def test_a_server_with_all_off_and_no_models_imports_nothing_of_it():
    found = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
