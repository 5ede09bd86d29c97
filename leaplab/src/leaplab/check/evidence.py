"""Everything that the rules look at, gathered once: files, source, clean processes, a probe of the handlers."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from leaplab.bundle.archive import write_archive
from leaplab.bundle.listing import Listing, list_bundle
from leaplab.bundle.proof import Proof, prove
from leaplab.bundle.verdict import Problem
from leaplab.check.failures import decorators_of, place_in, topic_of
from leaplab.check.source import Source, read_source, registered_name
from leaplab.check.watched import Outcome, run_locally
from leaplab.environments.interpreter import Interpreter
from leaplab.environments.own import own_interpreter
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import LeapYaml, read_leap_yaml
from leaplab.project.locate import Project, find_project
from leaplab.protocol.observations import Observation, Probe, Topic, handler_in
from leaplab.protocol.operations import PROBE
from leaplab.protocol.script_failure import is_of
from leaplab.session.opening import open_session

T = TypeVar("T")
TIME_LIMIT = 120.0
"""Seconds for each process."""
PROOF_LIMIT = 2**30
"""Bytes of a bundle beyond which it is not unpacked: C15 tells of it."""
NOT_HANDLERS = ("", "preprocess", "integration_test", "model_custom_latent_space", "instance_custom_latent_spaces")
"""Names under which code-loader reports other checks than those of handlers."""


@dataclass
class Evidence:
    """What was found out about an integration. A part that could not be gathered is None, and its failure says why.

    Attributes:
        root: the folder that was named.
        python: the interpreter that runs it.
        project_error: why there is no project.
        local: the binder and its integration test in a clean process.
        proof: the platform's verdict on the unpacked bundle, in another; None where there is no bundle.
        probe: the handlers on some samples; None where the integration cannot be bound.
    """

    root: Path
    python: Interpreter = field(default_factory=own_interpreter)
    project: Project | None = None
    project_error: str = ""
    leap_yaml: LeapYaml | None = None
    leap_yaml_error: str = ""
    listing: Listing | None = None
    listing_error: str = ""
    source: Source = field(default_factory=Source)
    local: Outcome = field(default_factory=Outcome)
    proof: Proof | None = None
    proof_error: str = ""
    probe: Probe | None = None
    probe_error: str = ""

    @property
    def entry_file(self) -> str:
        """The entry file, or leap.yaml, which ought to name it."""
        return self.project.entry_file if self.project else "leap.yaml"

    def observed(self, *topics: Topic) -> Iterator[Observation]:
        """What the probe saw of some topics."""
        for observation in self.probe.observations if self.probe else ():
            if observation.topic in topics:
                yield observation

    def seen(self, *topics: Topic) -> Iterator[tuple[str, str]]:
        """The same as (place, sentence): the line that raised, else that of the handler."""
        for observation in self.observed(*topics):
            yield place_in(observation.text) or self.source.place(observation.name), observation.text

    def failures(self, *topics: Topic) -> Iterator[tuple[str, str]]:
        """(place, sentence) of what code-loader refuses: in the integration test, in its verdict, in the probe.

        The same fault shows in each of them, so a place is told of once, and a failure without a place only alone.
        """
        told: set[str] = set()
        for place, text in self._failures(topics):
            if place not in told and (":" in place or not told):
                told.add(place)
                yield place or self.entry_file, text

    def _failures(self, topics: tuple[Topic, ...]) -> Iterator[tuple[str, str]]:
        error = self.local.report.get("test_error")
        topic = topic_of(error["message"]) if error else None
        if error and topic is not None and topic in topics:
            name = error["message"].split("(")[0].split(" ")[0]  # "encode_image() validation failed: ..."
            named = [one for one in self.source.decorated if one.name == name]
            # Of a loss's array or a metric's type the rules of scores tell.
            if not named or named[0].decorator in decorators_of(topic):
                yield (named[0].place if named else error["place"]), error["message"]
        simulations = {registered_name(function) for function in self.source.of("tensorleap_simulation")}
        for problem in self.problems("check"):
            name = handler_in(problem.message)
            raised = None if name in NOT_HANDLERS or self._is_of_empty_state(problem) else Topic.HANDLER_RAISES
            topic = topic_of(problem.message, Topic.SIMULATION if name in simulations else raised)
            if topic in topics:
                own_line = problem.place if topic is Topic.HANDLER_RAISES else ""
                yield own_line or self.source.place(name), problem.message
        for observation in self.observed(Topic.HANDLER_RAISES):
            if not self.is_lack(observation.text) and topic_of(observation.text, Topic.HANDLER_RAISES) in topics:
                yield place_in(observation.text) or self.source.place(observation.name), observation.text

    def is_lack(self, text: str) -> bool:
        """Whether an error is that of a module which nothing here brings, and which is told of as a requirement.

        That is C13's, or what could not be tried; a module of the integration's own is C11's.
        """
        missing = re.search(r"No module named '(\w+)", text)
        if missing is None or self.proof is None or is_of(self.root, missing[1]):
            return False
        required = self.listing is not None and bool(self.listing.requirements)
        return bool(self.proof.lacking) or (required and missing[1] in self.proof.absent)

    @property
    def empty_states(self) -> list[str]:
        """States that preprocess gives no sample of."""
        return [state for state, (count, _) in self.local.report.get("ids", {}).items() if not count]

    def _is_of_empty_state(self, problem: Problem) -> bool:
        """Whether code-loader, not the handler, asked for the first sample of a state that has none."""
        return bool(self.empty_states) and problem.file is None and "IndexError" in problem.message

    def problems(self, *kinds: str) -> Iterator[Problem]:
        """What the proof found, of some kinds or of all."""
        for problem in self.proof.problems if self.proof else ():
            if problem.kind in kinds or not kinds:
                yield problem


def gather(
    path: Path,
    model: Path | None = None,
    time_limit: float = TIME_LIMIT,
    python: Interpreter | None = None,
    wiring: Path | None = None,
) -> Evidence:
    """Look at an integration from all sides. Nothing that it does ends this.

    Args:
        path: its folder.
        model: a model file to use instead of its own.
        time_limit: seconds for each of the processes that run it.
        python: the interpreter that runs it; leaplab's own where none is given.
        wiring: a wiring or mapping file, for an integration without an integration test.
    """
    python = python or own_interpreter()
    evidence = Evidence(path.expanduser().resolve(), python)
    leap_yaml = evidence.root / "leap.yaml"
    if os.path.lexists(leap_yaml):
        evidence.leap_yaml, evidence.leap_yaml_error = _tried(lambda: read_leap_yaml(leap_yaml))
    evidence.project, evidence.project_error = _tried(lambda: find_project(path))
    project, settings = evidence.project, evidence.leap_yaml
    if project is None:
        return evidence
    if settings is not None:
        evidence.listing, evidence.listing_error = _tried(lambda: list_bundle(project, settings))
    listing = evidence.listing
    evidence.source = read_source(
        project.root, [file for file, _ in listing.files] if listing else [project.entry_file]
    )

    # Two cores are the least that a laptop has.
    with ThreadPoolExecutor(1) as pool:
        proving = pool.submit(_tried, lambda: _proven(project, listing, python, time_limit))
        evidence.local = run_locally(project, python, time_limit)
        if "modules" in evidence.local.report:
            evidence.source.keep_loaded({project.entry_file, *evidence.local.report["modules"]})
        evidence.proof, evidence.proof_error = proving.result()
    kinds = {problem.kind for problem in evidence.problems()}
    # What the platform refuses with all its files and distributions at hand, the probe could not bind either.
    refused = "process" in kinds or kinds == {"check"}
    if not evidence.local.ended and not evidence.local.report.get("error") and not refused:
        evidence.probe, evidence.probe_error = _tried(lambda: _probed(project, model, wiring, python, time_limit))
    return evidence


def _proven(project: Project, listing: Listing | None, python: Interpreter, time_limit: float) -> Proof | None:
    if listing is None or listing.size > PROOF_LIMIT:
        return None
    with tempfile.TemporaryDirectory(prefix="leaplab-check-") as folder:
        archive = Path(folder) / "bundle.tar.gz"
        write_archive(listing, project.root, archive)
        return prove(archive, project, python, time_limit)


def _probed(project: Project, model: Path | None, wiring: Path | None, python: Interpreter, time_limit: float) -> Probe:
    with open_session(project, model, wiring=wiring, interpreter=python) as session:
        try:
            return session.call(PROBE, time_limit=time_limit)
        except RuntimeError as error:  # leaplab did not reckon with what a handler returned: the check goes on
            raise LeaplabError(str(error).splitlines()[0]) from error


def _tried(make: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return make(), ""
    except LeaplabError as error:
        return None, str(error)


def is_tracked(root: Path) -> bool:
    """Whether a folder lies in a git checkout."""
    return any((folder / ".git").exists() for folder in (root, *root.parents) if os.access(folder, os.R_OK))
