"""Kafka, measured: ``python -m tests.bench.kafka [PART ...] [--json]``.

``latency``: from a POST to a consumer and to the conclusion, with either feed, in one
process and in roles. ``scaling``: conversations a second with one to four workers, in
three ways.
``writes``: throughput, processor time, memory and bytes an event, with either feed, in
one process and in roles. Without a part, all three. The broker is yours
(``KAFKA_BOOTSTRAP_SERVERS``) or one started for it. The relay: ``tests.bench.relay``.
"""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import kafka_latency, kafka_scaling, kafka_writes
from tests.bench.deployed import broker

PARTS = ("latency", "scaling", "writes")


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts that were asked for."""
    found: dict[str, Any] = {}
    with broker() as servers:
        for part in given.parts or PARTS:
            if part == "latency":
                found[part] = kafka_latency.measure(servers, given.repeats)
            elif part == "scaling":
                sizes = (given.conversations, given.keys, given.workers)
                found |= kafka_scaling.measure(servers, *sizes)
            else:
                found[part] = kafka_writes.measure(servers, given.seconds)
    return found


def show(found: dict[str, Any]) -> None:
    for part, layouts in found.items():
        table = Table("", "what", "figures", title=part)
        for name, figures in layouts.items():
            rows = figures.items() if isinstance(figures, dict) else [("", figures)]
            for what, figure in rows:
                table.add_row(name, what, json.dumps(figure))
                name = ""  # noqa: PLW2901  said once
        Console(width=160).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), metavar="PART")
    parser.add_argument("--repeats", type=int, default=200, help="POSTs of latency")
    parser.add_argument("--conversations", type=int, default=1_200)
    parser.add_argument("--keys", type=int, default=1, help="sessions at once a worker")
    parser.add_argument("--workers", type=int, default=4, help="most workers")
    parser.add_argument("--seconds", type=float, default=8, help="of each load")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given)
    print(json.dumps(found)) if given.json else show(found)


if __name__ == "__main__":
    main()
