"""manifest.json: what a run is."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from leaplab.errors import LeaplabError
from leaplab.files import write_json
from leaplab.protocol.description import PredictionSpec
from leaplab.protocol.plan import Part

SCHEMA = 2
"""Raised when a run's layout changes in a way that older readers or newer ones cannot read."""


class ColumnEntry(Struct, frozen=True):
    """What the integration declares of a column.

    Attributes:
        type: float, int, string or boolean.
        direction: for metrics, which way is better.
        insights: for metrics, whether insights are to be drawn.
    """

    type: str
    direction: str | None = None
    insights: bool | None = None


class RunInterpreter(Struct, frozen=True):
    """The Python that the integration ran in.

    Attributes:
        executable: its path.
        version: major.minor.micro.
    """

    executable: str
    version: str


class Update(Struct, frozen=True):
    """What of a run was computed again by itself.

    Attributes:
        created: when, in UTC.
        groups: of columns, see `leaplab.store.columns`.
        code_sha256: of the integration that they were computed by; the rest of the run is by an earlier one.
    """

    created: str
    groups: tuple[str, ...]
    code_sha256: str


class Manifest(Struct, frozen=True):
    """A run.

    Attributes:
        identity: decides whether two evaluations are the same: code, model, samples and options.
        basis: the same without the code; what stays where only some columns are computed again.
        integration: absolute folder of the integration, and its entry file.
        model: the model file's name, format, sha256 and the path it was given by `--model` (else None).
        wiring_option: the path that was given by `--wiring`.
        latent_source: the layers that the latent space "model" was taken from.
        notices: what the integration printed while it was bound, for the person who reads its results.
        columns: declared columns; others (a metric's dictionary keys) are floats.
        instances: state -> number of element instances of its samples; empty where the integration has none.
        instance_columns: the columns of these.
        interpreter: that the integration ran in.
        code_sha256: of the integration.
        revision: how often some of its columns were computed again; a part of an earlier revision lacks the last time.
        updates: what was computed then, the last one last.
        domains: columns whose values are domains, by the integration's own settings.
        inference_threads: that the model used, since the last bits of what it gives depend on it: whoever takes the run
            up uses as many. None: of a leaplab that did not write it down.
    """

    schema: int
    identity: str
    basis: str
    created: str
    integration: str
    entry_file: str
    model: str
    model_option: str | None
    model_format: str
    latent_source: str
    states: dict[str, int]
    parts: tuple[Part, ...]
    columns: dict[str, ColumnEntry]
    predictions: tuple[PredictionSpec, ...]
    visualizers: tuple[str, ...]
    notices: tuple[str, ...]
    wiring_option: str | None = None
    instances: dict[str, int] = {}
    instance_columns: dict[str, ColumnEntry] = {}
    interpreter: RunInterpreter | None = None
    code_sha256: str = ""
    revision: int = 0
    updates: tuple[Update, ...] = ()
    domains: tuple[str, ...] = ()
    inference_threads: int | None = None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it as indented JSON."""
    write_json(path, manifest, indent=2)


def read_manifest(path: Path) -> Manifest:
    """Read it.

    Raises:
        LeaplabError: it is missing, damaged, or of another schema.
    """
    run = path.parent
    try:
        content: Any = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise LeaplabError(f"{run} holds no manifest.json, so it is no run; `leaplab runs` lists them.") from None
    except (OSError, msgspec.DecodeError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); delete {run} and evaluate again.") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        age = "an older" if isinstance(schema, int) and schema < SCHEMA else "another"
        raise LeaplabError(
            f"{run} was written by {age} version of leaplab (schema {schema}, this one reads {SCHEMA});"
            f" evaluate again with --update, or delete it."
        )
    try:
        return msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise LeaplabError(f"{path} is damaged ({error}); delete {run} and evaluate again.") from error
