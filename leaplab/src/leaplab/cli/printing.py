"""What commands print: progress, tables, JSON."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

if TYPE_CHECKING:
    from leaplab.bundle.listing import Listing
    from leaplab.bundle.verdict import Problem
    from leaplab.check.report import Report
    from leaplab.population.insights import FoundInsight, Silent
    from leaplab.protocol.inspection import Inspection

SHOWN_INSIGHTS = 12
SHOWN_DIFFERENCES = 3
SHOWN_MEMBERS = 5
"""What a person is shown of insights; JSON has all."""
console = Console(stderr=True, highlight=False)
"""What is for the person at the terminal; results go to stdout."""


def progress_bar() -> Progress:
    """Done of all, rate and remaining time."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


class _RateColumn(TextColumn):
    def render(self, task: Any) -> Any:
        from rich.text import Text

        return Text(f"{task.speed:,.0f} samples/s" if task.speed else "")


@contextmanager
def looking() -> Iterator[Callable[[str, int, int], None]]:
    """A bar of what is looked for, how far that is, and since when."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Reading the run", total=None)

        def advance(what: str, done: int, total: int) -> None:
            progress.update(task, description=f"Looking for {what}", completed=done, total=total)

        yield advance


def print_insights(insights: "Sequence[FoundInsight]", silent: "Sequence[Silent]") -> None:
    """Each insight with its numbers, what to do and its first members; then what there is none of, and why."""
    output = Console(highlight=False)
    whole = [each for each in insights if each.parent is None]
    for each in whole[:SHOWN_INSIGHTS]:
        head = f"[bold]{escape(each.title)}[/]  [dim]{each.id}  severity {each.severity:.2f}[/]"
        output.print(head, soft_wrap=True)
        output.print(f"    {each.explanation}", markup=False, soft_wrap=True)
        apart = "; ".join(one.told() for one in each.differences[:SHOWN_DIFFERENCES])
        if apart:
            output.print(f"    Its members differ in {apart}.", markup=False, soft_wrap=True)
        for part in insights:
            if part.parent == each.id:
                told = f"    {part.id}: {part.member_count:,} of them, {part.title}"
                output.print(told, markup=False, soft_wrap=True)
        output.print(f"    To do: {each.action.do}", markup=False, soft_wrap=True)
        first = ", ".join(f"{one.state}/{one.sample_id}" for one in each.members[:SHOWN_MEMBERS])
        more = each.member_count - min(SHOWN_MEMBERS, len(each.members))
        told = f"    {first}{f' and {more:,} more' if more else ''}"
        output.print(told, style="dim", markup=False, soft_wrap=True)
    left = len(whole) - SHOWN_INSIGHTS
    if left > 0:
        output.print(f"{left:,} more of less severity; --json or -o FILE has them all, --kind chooses.")
    if silent:
        output.print("Nothing told of:" if insights else "No insight.")
    for none in silent:
        output.print(f"  {none.kind}: {none.reason}", markup=False, soft_wrap=True)


def print_findings(report: "Report") -> None:
    """Each finding with its place and what to do."""
    from leaplab.analysis.insight.wording import counted

    output = Console(highlight=False)
    for finding in report.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        head = f"[{colour}]{finding.rule} {finding.severity}[/] [bold]{escape(finding.place)}[/]"
        output.print(f"{head}  {escape(finding.sentence)}", soft_wrap=True)
        output.print(f"    {escape(finding.mend)}", style="dim", soft_wrap=True)
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    verdict = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}" if report.findings else "Nothing to mend"
    output.print(f"{verdict}: {report.rules} rules, {report.samples} samples through every handler.")
    for sentence in report.not_tried:
        output.print(f"  {sentence}", markup=False, soft_wrap=True)


def summary_table(summary: dict[str, Any]) -> Table:
    """A column a state, and a line a loss or metric: of those an integration may have many."""
    states = (Column(state, justify="right", no_wrap=True) for state in summary)
    table = Table(Column(""), *states, box=None, pad_edge=False)
    table.add_row("samples", *(f"{values['samples']:,}" for values in summary.values()))
    _add_means(table, [values["means"] for values in summary.values()])
    instances = [values["instances"] for values in summary.values() if "instances" in values]
    if instances:
        table.add_row("instances", *(f"{values['count']:,}" for values in instances))
        _add_means(table, [values["means"] for values in instances], " of instances")
    return table


def _add_means(table: Table, states: list[dict[str, float | None]], of: str = "") -> None:
    for column in dict.fromkeys(column for means in states for column in means):
        shown = (_mean(means.get(column)) for means in states)
        table.add_row(f"mean {column.split('.', 1)[1]}{of}", *shown)


def _mean(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def print_json(value: Any) -> None:
    """Indented JSON on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_inspection(inspection: "Inspection", pictures: dict[str, Path | str]) -> None:
    """One sample: its tensors, scores, metadata and element instances, and where its visualizers' pictures are."""
    output = Console(highlight=False)
    tensors = Table("tensor", "name", "shape", "dtype", "min", "max", "mean", box=None, pad_edge=False)
    for each in inspection.tensors:
        figures = (_figure(value) for value in (each.minimum, each.maximum, each.mean))
        tensors.add_row(each.kind, escape(each.name), str(list(each.shape)), each.dtype, *figures)
    values = Table("column", "value", box=None, pad_edge=False)
    for column, score in inspection.scores.items():
        values.add_row(escape(column), _figure(score))
    for column, value in inspection.metadata.items():
        values.add_row(escape(f"metadata.{column}"), _shown(value))
    output.print(f"[bold]{escape(inspection.sample_id)}[/] of {inspection.state}\n")
    output.print(tensors)
    output.print()
    output.print(values)
    output.print()
    if inspection.instances:
        output.print(_instance_table(inspection.instances))
        output.print()
    for name, picture in pictures.items():
        output.print(f"{escape(name)}: {escape(str(picture))}", soft_wrap=True)


def _instance_table(rows: Sequence[dict[str, Any]]) -> Table:
    """A column a value; in a narrow terminal the headings are folded, not the values."""
    table = Table(box=None, pad_edge=False)
    shown = [[f"{value:.4g}" if isinstance(value, float) else _shown(value) for value in row.values()] for row in rows]
    for place, name in enumerate(rows[0]):
        heading = name.removeprefix("metadata.").removeprefix("metric.") if name != "number" else "instance"
        widest = max(len(values[place]) for values in shown)
        table.add_column(escape(heading), overflow="fold", min_width=widest)
    for values in shown:
        table.add_row(*values)
    return table


def print_listing(listing: "Listing") -> None:
    """The files of a bundle, and what its patterns leave open."""
    output = Console(highlight=False)
    for path, size in listing.files:
        output.print(f"{size:>12,}  {escape(path)}", soft_wrap=True)
    output.print(f"{len(listing.files)} files, {listing.size:,} bytes")
    for pattern in listing.unmatched:
        console.print(f"[yellow]The include pattern '{escape(pattern)}' matches no file.[/]", soft_wrap=True)
    if not listing.requirements:
        console.print("[yellow]No requirements file is in the list: the CLI will ask, with no as the default.[/]")
    for problem in listing.problems:
        console.print(f"[yellow]{escape(problem.message)}[/]", soft_wrap=True)


def print_problems(problems: "tuple[Problem, ...]") -> None:
    """Why a bundle does not run on its own."""
    for problem in problems:
        console.print(f"[red]{escape(problem.place)}[/]  {escape(problem.message)}", soft_wrap=True)


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    return _figure(value) if isinstance(value, float) else escape(str(value))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def size_of(size: int) -> str:
    """Bytes as a person reads them: 3.4 MB."""
    amount, units = float(size), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        del units[0]
    return f"{amount:.3g} {units[0]}" if amount < 1000 else f"{amount:,.0f} {units[0]}"


def age_of(created: str, now: datetime | None = None) -> str:
    """How long ago a time was, as a person says it; empty where it is not known."""
    if not created:
        return ""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()
    for length, unit in ((86400 * 2, "day"), (3600 * 2, "hour"), (60 * 2, "minute")):
        if seconds >= length:
            return f"{int(seconds // (length // 2))} {unit}s ago"
    return "just now"
