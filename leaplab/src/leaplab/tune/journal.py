"""What trials gave, kept in a journal of Optuna's, so that a search that was interrupted goes on."""

import base64
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.tune.objective import Measured
from leaplab.tune.parameters import Parameters

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

STUDY = "tune"
CHECKED = "checked"


class Journal:
    """Trials by their number and parameters, each written whole when it was measured; nothing that runs is in it.

    A search asks for the same parameters under a number again as long as the question and Optuna are the same. Two
    processes that ask the same write what the other has, too: it counts once.

    Args:
        path: the file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._study = None if path is None else _opened(path)
        self._known: dict[str, Measured] = {}
        for trial in [] if self._study is None else self._study.get_trials(deepcopy=False):
            attributes = trial.user_attrs
            if trial.value is not None:
                self._known[_key(attributes["number"], trial.params)] = Measured(
                    attributes["distance"], attributes["coverage"], trial.value, _array(attributes["made"])
                )

    def measured(self, number: int, parameters: Parameters) -> Measured | None:
        """What a trial gave; None where it is to be made."""
        return self._known.get(_key(number, parameters))

    def keep(
        self, number: int, parameters: Parameters, distributions: "dict[str, BaseDistribution]", found: Measured
    ) -> None:
        """Write a trial that is not there."""
        key = _key(number, parameters)
        if self._study is None or key in self._known:
            return
        from optuna.trial import create_trial

        attributes = {
            "number": number,
            "distance": found.distance,
            "coverage": found.coverage,
            "made": _text(found.made),
        }
        with quiet():
            self._study.add_trial(
                create_trial(params=parameters, distributions=distributions, value=found.value, user_attrs=attributes)
            )
        self._known[key] = found

    def checked(self, key: str) -> dict[str, float] | None:
        """What was kept of a check by `keep_checked`."""
        found = {} if self._study is None else self._study.user_attrs.get(CHECKED, {})
        known: dict[str, float] | None = found.get(key)
        return known

    def keep_checked(self, key: str, found: dict[str, float]) -> None:
        """Keep the numbers of a check."""
        if self._study is not None:
            with quiet():
                self._study.set_user_attr(CHECKED, {**self._study.user_attrs.get(CHECKED, {}), key: found})


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says nothing within: what it has to say of its own future is for those who write with it."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _opened(path: Path) -> "Study | None":
    """The study in a file; None where the file cannot be written."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend(path)
        with quiet():
            return _study(JournalStorage(JournalFileBackend(str(path))), optuna)
    except OSError:  # a run that is only to be read, or a full disk: the answer is the same
        return None
    except (KeyError, ValueError):  # another version of Optuna wrote it, or it was damaged
        path.unlink(missing_ok=True)
        with quiet():
            return _study(JournalStorage(JournalFileBackend(str(path))), optuna)


def _study(storage: Any, optuna: Any) -> "Study":
    study: Study = optuna.create_study(storage=storage, study_name=STUDY, direction="minimize", load_if_exists=True)
    return study


def _key(number: int, parameters: Parameters) -> str:
    return json.dumps([number, parameters], sort_keys=True)


def _text(array: NDArray[np.float32] | None) -> list[Any] | None:
    """An array as JSON: its shape, and its bytes."""
    if array is None:
        return None
    return [list(array.shape), base64.b64encode(np.asarray(array, "<f4").tobytes()).decode()]


def _array(kept: list[Any] | None) -> NDArray[np.float32] | None:
    if kept is None:
        return None
    shape, content = kept
    return np.frombuffer(base64.b64decode(content), "<f4").reshape(shape)


def _mend(path: Path) -> None:
    """Take off a last line that was cut off in the middle: what is written next would be a part of it."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
