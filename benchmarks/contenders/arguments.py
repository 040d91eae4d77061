"""What every contender is told: `--bundle DIR --port N`."""

import argparse
from pathlib import Path


def arguments() -> argparse.Namespace:
    """`bundle` (Path), `port` (int)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    return parser.parse_args()
