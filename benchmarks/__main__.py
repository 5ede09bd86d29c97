"""Run the benchmarks, print a table, write JSON: `python -m benchmarks [NAME ...]`."""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    answers,
    binding,
    charts,
    checking,
    detection,
    distributions,
    domain_gap,
    encoding,
    evaluation,
    exploration,
    heatmaps,
    labelling,
    labels_and_columns,
    maps,
    overhead,
    page,
    page_million,
    page_server,
    predicted_loss,
    segmentation,
    slices,
    tuning,
    workers,
)
from benchmarks.measuring import Figure, machine

BENCHMARKS = {
    "answers": answers.run,
    "binding": binding.run,
    "charts": charts.run,
    "checking": checking.run,
    "detection": detection.run,
    "distributions": distributions.run,
    "domain_gap": domain_gap.run,
    "encoding": encoding.run,
    "evaluation": evaluation.run,
    "exploration": exploration.run,
    "heatmaps": heatmaps.run,
    "labelling": labelling.run,
    "labels_and_columns": labels_and_columns.run,
    "maps": maps.run,
    "overhead": overhead.run,
    "page": page.run,
    "page_million": page_million.run,
    "page_server": page_server.run,
    "predicted_loss": predicted_loss.run,
    "segmentation": segmentation.run,
    "slices": slices.run,
    "tuning": tuning.run,
    "workers": workers.run,
}
REPORT = Path("build/benchmarks.json")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"error: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        figures += BENCHMARKS[name]()
    table = Table("what", "measured", "bound", "", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(figure.what, figure.shown, figure.bound_shown, figure.verdict)
    Console().print(table)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"machine": machine(), "figures": [figure.as_json() for figure in figures]}, indent=2))
    print(f"written to {REPORT}")


if __name__ == "__main__":
    main(sys.argv[1:])
