"""A run's integration again: to draw a sample's visualizers, or to try something on the model that was evaluated."""

from pathlib import Path

from leaplab.environments.choosing import choose_interpreter
from leaplab.errors import LeaplabError
from leaplab.project.locate import Project
from leaplab.protocol.description import Description
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import Session, open_session
from leaplab.store.manifest import Manifest


def reopen(manifest: Manifest) -> Session:
    """Bind the integration that a run is of, in the interpreter and with the model and wiring of its evaluation.

    Raises:
        LeaplabError: it, or its interpreter, is no longer there, or its root binds another one now.
    """
    root = Path(manifest.integration)
    if not (root / manifest.entry_file).exists():
        raise LeaplabError(
            f"The integration is no longer at {root}, so its visualizers cannot run; evaluate it where it is."
        )
    python = None if manifest.interpreter is None else Path(manifest.interpreter.executable)
    if python is not None and not python.exists():
        raise LeaplabError(
            f"The run was made in {python}, which is no longer there; evaluate again with --update, in an environment"
            " that is."
        )
    session = open_session(
        Project(root, manifest.entry_file),
        None if manifest.model_option is None else Path(manifest.model_option),
        wiring=None if manifest.wiring_option is None else Path(manifest.wiring_option),
        interpreter=None if python is None else choose_interpreter(root, python),
    )
    try:
        _require_the_same(session.call(DESCRIBE), manifest)
    except BaseException:
        session.close()
        raise
    return session


def _require_the_same(bound: Description, manifest: Manifest) -> None:
    """A root may bind another integration today, by a setting or a variable: its pictures would be of other samples.

    Raises:
        LeaplabError: the predictions or the states are not those of the run.
    """
    if bound.predictions != manifest.predictions or not set(manifest.states) <= set(bound.states):
        raise LeaplabError(
            f"{manifest.integration} binds another integration now than the one that this run is of, so its visualizers"
            " would show other samples; switch back to that one and explore again, or evaluate this one."
        )
