"""Tables as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def csv_text(table: Mapping[str, Sequence[Any]]) -> str:
    """Columns of values, with a line of their names; what is None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return text.getvalue()
