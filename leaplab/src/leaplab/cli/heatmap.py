"""What in a sample raises the loss, a class or a detection, and what lowers it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.analyses import RunArgument, Where
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json
from leaplab.errors import LeaplabError, QuestionError

if TYPE_CHECKING:
    from leaplab.population.heatmap import Heatmap, HeatmapQuestion, HeatMaps
    from leaplab.population.heatmap_population import PopulationHeatmap
    from leaplab.population.population import Population
    from leaplab.population.similar import SimilarSamples
    from leaplab.render.heatmap_overlay import Sign

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
    where: Where = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Of --where, the most samples that are looked at; 200 if not given.")
    ] = None,
    of: Annotated[
        str,
        typer.Option(
            help="loss (the sum of all), loss:NAME, class:NAME, class:all, metric:NAME, instance:N (from 0 on),"
            " instance:N:METRIC, similar:ID or detection:K (from 1 on)."
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
    """What in a sample raises the loss, a class, a metric or a detection, and what lowers it.

    With --where the mean over many, and how much of it lies inside the boxes or masks of the ground truth.
    """
    from leaplab.cli.answers import require_free
    from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
    from leaplab.population.heatmap_population import SAMPLES, heatmap_of_samples
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if not id_ and where is None:
        raise QuestionError("Name the sample whose heat-map is wanted by --id ID, or samples by --where EXPR.")
    if id_ and (where is not None or count is not None):
        raise QuestionError("A heat-map is of one sample (--id) or the mean of many (--where, --count); leave one out.")
    population = open_population(find_run(runs, run))
    rows = None if where is None else population.where(where)
    if rows is not None and not len(rows):
        raise QuestionError("No sample meets the condition, so that there is no mean heat-map.")
    question = HeatmapQuestion(
        population.row_of(id_) if rows is None else int(rows[0]),
        of,
        input_,
        method.value,
        None if layer == LIST else layer,
        block,
        baseline.value,
        None if decoder is None else decoder.value,
    )
    if rows is not None and out is not None and layer != LIST:  # before many are computed
        target, pictures = _paths(f"mean-{of}", out)
        for path in (target, *pictures.values()):
            require_free(path, overwrite)
    with HeatMaps(population) as maps:
        if layer == LIST:
            _print_layers(maps, question, as_json)
            return
        with console.status("Looking what raises it and what lowers it"):
            if rows is not None:
                mean = heatmap_of_samples(maps, population, rows, question, count or SAMPLES)
            else:
                answer = maps.of(question)
    if rows is not None:
        _tell_mean(mean, out, overwrite, as_json)
        return
    files, values = _written(answer, f"{answer.id}-{answer.of}", f"{answer.state}/{answer.id}", out, overwrite)
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
    _say_files(files)
    if answer.drawing is not None and any(files.values()):
        drawer = f"the integration's visualizer '{answer.drawing.visualizer}' and its heat-map function"
        console.print(f"They are drawn by {drawer}.", markup=False, soft_wrap=True)
    if values is not None:
        console.print(f"{values} holds the changes.", markup=False, soft_wrap=True)


def _tell_mean(answer: "PopulationHeatmap", out: Path | None, overwrite: bool, as_json: bool) -> None:
    from leaplab.population.heatmap_population import INSIDE, told

    many = f"{answer.samples:,} samples of {', '.join(sorted(set(answer.states)))}"
    files, values = _written(answer.as_heatmap(), f"mean-{answer.of}", many, out, overwrite)
    share = answer.inside_truth
    if as_json:
        print_json(
            {
                "of": answer.of,
                "method": answer.method,
                "layer": answer.layer or None,
                "baseline": answer.baseline,
                "samples": answer.samples,
                "inside_truth": share,
                "files": files,
                "values": values,
            }
        )
        return
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    output = Console(highlight=False)
    if answer.is_flat:
        output.print(f"Nothing that is taken away changes {answer.of}, so that there is no map.", soft_wrap=True)
    if share is not None:
        output.print(told(answer, share), markup=False, soft_wrap=True)
        known = sum(each is not None for each in answer.table()["inside_truth"])
        output.print(
            f"The column analysis.{INSIDE} has it for {known:,} of {answer.samples:,} samples.", soft_wrap=True
        )
    _say_files(files)
    if values is not None:
        console.print(f"{values} holds the mean of the changes.", markup=False, soft_wrap=True)


def _say_files(files: dict[str, str | None]) -> None:
    for what, path in files.items():
        if path is not None:
            console.print(f"{path} shows {_shown(what)}.", markup=False, soft_wrap=True)


def _shown(what: str) -> str:
    return {"raises": "what raises it", "lowers": "what lowers it"}.get(what, "both")


def _written(
    answer: "Heatmap", named: str, told: str, folder: Path | None, overwrite: bool
) -> tuple[dict[str, str | None], str | None]:
    """The files of an answer: no pictures where there is no map.

    Args:
        named: what their names begin with.
        told: what stands below the pictures of whom they are.
    """
    from leaplab.cli.answers import require_free, writing
    from leaplab.files import write_array, written_aside
    from leaplab.render.heatmap_overlay import SIGNS
    from leaplab.render.heatmap_picture import heatmap_picture

    files: dict[str, str | None] = dict.fromkeys(SIGNS)
    if folder is None:
        return files, None
    target, pictures = _paths(named, folder)
    for path in (target, *pictures.values()):
        require_free(path, overwrite)
    if answer.is_flat:
        pictures = {}
    for sign, path in pictures.items():
        with writing(path, "-o"), written_aside(path) as aside:
            heatmap_picture(answer, told, sign).save(aside, format="PNG")
        files[sign] = str(path)
    with writing(target, "-o"):
        write_array(target, answer.values if answer.of == "class:all" else answer.values[0])
    return files, str(target)


def _paths(named: str, folder: Path) -> tuple[Path, dict["Sign", Path]]:
    """The file of the values, and of each picture."""
    from leaplab.files import file_name
    from leaplab.render.heatmap_overlay import SIGNS

    stem = file_name(named.replace("/", "-").replace(":", "-"))
    return folder / f"{stem}.npy", {sign: folder / f"{stem}-{sign}.png" for sign in SIGNS}


def draw_why(
    population: "Population", answer: "SimilarSamples", folder: Path, overwrite: bool
) -> tuple[list[Path | None], list[str]]:
    """Draw for each neighbour what in it makes it similar: what raises the cosine to the sample that was asked for.

    Returns:
        A file for each, None where nothing that is taken away changes the cosine; and what is to be said.

    Raises:
        LeaplabError: several samples, or another latent space than the model's own, were asked for; or there is no map.
    """
    from leaplab.cli.answers import require_free, writing
    from leaplab.files import file_name, written_aside
    from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
    from leaplab.protocol.model import LATENT_SPACE
    from leaplab.render.heatmap_picture import heatmap_picture

    if len(answer.looked_from) != 1:
        raise QuestionError("--why tells what makes samples similar to one; name a single sample by --id.")
    if answer.space != LATENT_SPACE:
        raise QuestionError(
            f"--why is of the model's own latent space, and not of '{answer.space}'; leave out --space."
        )
    row = answer.looked_from[0]
    of = f"similar:{population.states[row]}/{population.ids[row]}"
    paths = [
        folder / f"{number:03d}-{file_name(each.sample_id.replace('/', '-'))}.png"
        for number, each in enumerate(answer.similar, 1)
    ]
    for path in paths:
        require_free(path, overwrite)
    files: list[Path | None] = []
    said: dict[str, None] = {}
    with HeatMaps(population) as maps:
        for path, each in zip(paths, answer.similar, strict=True):
            heat = maps.of(HeatmapQuestion(each.row, of))
            said.update(dict.fromkeys(heat.notices))
            if heat.is_flat:
                files.append(None)
                continue
            with writing(path, "--why"), written_aside(path) as aside:
                heatmap_picture(heat, f"{each.state}/{each.sample_id}", "overlay").save(aside, format="PNG")
            files.append(path)
    return files, list(said)


def _print_answer(answer: "Heatmap") -> None:
    from leaplab.population.heatmap import extremes
    from leaplab.render.heatmap_picture import absent_words

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
    output.print(f"{answer.method}, with {absent_words(answer)}{f', at {answer.layer}' if answer.layer else ''}.",
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
