"""What in a sample raises the loss, a class or a detection, and what lowers it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.analyses import RunArgument
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json
from leaplab.errors import LeaplabError, QuestionError

if TYPE_CHECKING:
    from leaplab.population.heatmap import Heatmap, HeatmapQuestion, HeatMaps

LIST = "list"
SHOWN = 3
"""Regions that a person is told of, each way."""


class Method(StrEnum):
    """How it is found out what a region does."""

    ablation = "ablation"
    occlusion = "occlusion"
    gradient = "gradient"


class Baseline(StrEnum):
    """What stands for what is absent."""

    mean = "mean"
    blur = "blur"
    zero = "zero"


class Decoder(StrEnum):
    """Where a model's output holds its detections."""

    yolo = "yolo"


@app.command()
def heatmap(
    run: RunArgument = None,
    id_: Annotated[str, typer.Option("--id", help="The sample, or STATE/ID.")] = "",
    of: Annotated[
        str,
        typer.Option(
            help="loss (the sum of all), loss:NAME, class:NAME, class:all, metric:NAME, similar:ID or detection:K"
            " (from 1 on)."
        ),
    ] = "loss",
    input_: Annotated[
        str | None, typer.Option("--input", help="Input that it lies over; by default the first image.")
    ] = None,
    method: Annotated[
        Method, typer.Option(help="Cells of a feature map, patches of the input, or a Keras model's gradient.")
    ] = Method.ablation,
    layer: Annotated[
        str | None, typer.Option(help="Layer to cut the model at, or `list`; by default it is chosen.")
    ] = None,
    block: Annotated[
        int | None, typer.Option(min=1, help="Cells (of occlusion, pixels) a side that are taken away at once.")
    ] = None,
    baseline: Annotated[Baseline, typer.Option(help="What stands for what is taken away.")] = Baseline.mean,
    decoder: Annotated[
        Decoder | None, typer.Option(help="Where the output holds detections; else a visualizer tells them.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the pictures and the values.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files in the folder.")] = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """What in a sample raises the loss, a class, a metric or a detection, and what lowers it."""
    from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if not id_:
        raise QuestionError("Name the sample whose heat-map is wanted by --id ID.")
    population = open_population(find_run(runs, run))
    question = HeatmapQuestion(
        population.row_of(id_),
        of,
        input_,
        method.value,
        None if layer == LIST else layer,
        block,
        baseline.value,
        None if decoder is None else decoder.value,
    )
    with HeatMaps(population) as maps:
        if layer == LIST:
            _print_layers(maps, question, as_json)
            return
        with console.status("Looking what raises it and what lowers it"):
            answer = maps.of(question)
    files, values = _written(answer, out, overwrite)
    if as_json:
        print_json(
            {
                "id": answer.id,
                "state": answer.state,
                "of": answer.of,
                "method": answer.method,
                "layer": answer.layer or None,
                "baseline": answer.baseline,
                "target_value": answer.target_value,
                "files": files,
                "values": values,
            }
        )
        return
    _print_answer(answer)
    for what, path in files.items():
        if path is not None:
            console.print(f"{path} shows {_shown(what)}.", markup=False, soft_wrap=True)
    if values is not None:
        console.print(f"{values} holds the changes.", markup=False, soft_wrap=True)


def _shown(what: str) -> str:
    return {"raises": "what raises it", "lowers": "what lowers it"}.get(what, "both")


def _written(answer: "Heatmap", folder: Path | None, overwrite: bool) -> tuple[dict[str, str | None], str | None]:
    """The files of an answer: no pictures where there is no map."""
    from leaplab.cli.answers import require_free, writing
    from leaplab.files import file_name, write_array, written_aside
    from leaplab.render.heatmap_overlay import SIGNS, Map, draw_overlay

    files: dict[str, str | None] = dict.fromkeys(SIGNS)
    if folder is None:
        return files, None
    stem = file_name(f"{answer.id}-{answer.of}".replace("/", "-").replace(":", "-"))
    target = folder / f"{stem}.npy"
    pictures = {} if answer.is_flat else {sign: folder / f"{stem}-{sign}.png" for sign in SIGNS}
    for path in (target, *pictures.values()):
        require_free(path, overwrite)
    panels = [
        Map(f"{name}  {value:.3g}", values)
        for name, value, values in zip(answer.names, answer.targets.tolist(), answer.values, strict=True)
    ]
    picture = answer.picture if answer.is_image else None
    for sign, path in pictures.items():
        with writing(path, "-o"), written_aside(path) as aside:
            draw_overlay(picture, panels, sign, [_below(answer)]).save(aside, format="PNG")
        files[sign] = str(path)
    with writing(target, "-o"):
        write_array(target, answer.values if answer.of == "class:all" else answer.values[0])
    return files, str(target)


def _below(answer: "Heatmap") -> str:
    layers = answer.layer.split(", ") if answer.layer else []
    at = f" at {layers[0]}" if len(layers) == 1 else f" at {len(layers)} layers" if layers else ""
    return f"{answer.state}/{answer.id}, {answer.of}: {answer.method}{at}, {_absent(answer)}."


def _absent(answer: "Heatmap") -> str:
    stands = {"mean": "the mean of the population", "blur": "a blur of its own", "zero": "0"}
    return f"{stands.get(answer.baseline, answer.baseline)} for what is taken away"


def _print_answer(answer: "Heatmap") -> None:
    from leaplab.population.heatmap import extremes

    output = Console(highlight=False)
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    if answer.is_flat:
        return
    if answer.of == "class:all":
        table = Table("class", "value", "raises by at most", "lowers by at most", box=None, pad_edge=False)
        for name, value, values in zip(answer.names, answer.targets.tolist(), answer.values, strict=True):
            most, least = max(float(values.max()), 0.0), min(float(values.min()), 0.0)
            table.add_row(escape(name), f"{value:.4g}", f"{most:.4g}", f"{-least:.4g}")
        output.print(table)
        return
    output.print(f"{answer.of} of {answer.state}/{answer.id} is {answer.targets[0]:.4g}.", markup=False, soft_wrap=True)
    for place, change in extremes(answer, SHOWN):
        where, does = ("higher", "lowers") if change < 0 else ("lower", "raises")
        told = f"  Without the region {place} it would be {abs(change):.4g} {where}."
        if answer.method == Method.gradient:  # a slope says nothing of how far it goes on
            told = f"  The region {place} {does} it by {abs(change):.4g}, to the first order."
        output.print(told, markup=False, soft_wrap=True)
    output.print(f"{answer.method}, with {_absent(answer)}{f', at {answer.layer}' if answer.layer else ''}.",
                 style="dim", markup=False, soft_wrap=True)  # fmt: skip


def _print_layers(maps: "HeatMaps", question: "HeatmapQuestion", as_json: bool) -> None:
    layers = maps.layers(question)
    if not layers:
        raise LeaplabError("The model has no layer with a feature map of more than one cell; take --method occlusion.")
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "layer": each.map.tensor,
                "height": each.map.height,
                "width": each.map.width,
                "channels": each.map.channels,
                "use": each.use or None,
            }
            for each in layers
        ]
        print_json({"layers": rows})
        return
    table = Table("layer", "cells", "channels", "taken for", box=None, pad_edge=False)
    uses = {"head": "losses and metrics", "deep": "detections", "head, deep": "everything"}
    for each in layers:
        size = f"{each.map.height} x {each.map.width}"
        table.add_row(escape(each.map.tensor), size, str(each.map.channels), uses.get(each.use, ""))
    Console().print(table)
