"""The parameters of a simulation: where they start, and what they may be."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.protocol.description import SimulationParameter, SimulationSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Parameters = dict[str, Any]
"""Name -> a number, or a text of the parameter's values."""


def simulation_named(simulations: Sequence[SimulationSpec], name: str) -> SimulationSpec:
    """The simulation of that name, its bounds checked.

    Raises:
        LeaplabError: there is none, it has no parameters, or bounds are no bounds.
    """
    if not simulations:
        raise MissingError(
            "This integration has no simulation; decorate a function that makes samples with tensorleap_simulation."
        )
    found = next((each for each in simulations if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in simulations)
        raise MissingError(f"There is no simulation '{name}'; this integration has {known}.")
    if not found.parameters:
        raise LeaplabError(f"The simulation '{name}' has no parameters, so there is nothing to tune.")
    for each in found.parameters:
        if each.low is not None and each.high is not None and not _is_range(each.low, each.high):
            raise LeaplabError(
                f"The parameter '{each.name}' of '{name}' has the bounds {each.low:g} to {each.high:g}; give it a min"
                " below its max."
            )
    return found


def start_of(simulation: SimulationSpec, given: Sequence[str]) -> Parameters:
    """Where the search starts: what a person gave as `name=value`, else the middle of the bounds, or the first value.

    The middle is code-loader's own choice, since its bounds have no default.

    Raises:
        LeaplabError: what is given is no parameter, no value of it, outside of its bounds, or given twice.
    """
    by_name = {each.name: each for each in simulation.parameters}
    named: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not value.strip():
            raise QuestionError(f"--start takes NAME=VALUE, not '{text}'.")
        if name not in by_name:
            known = ", ".join(by_name)
            raise QuestionError(f"--start {text}: '{simulation.name}' has no parameter '{name}'; it has {known}.")
        if name in named:
            raise QuestionError(f"--start gives '{name}' twice; give it once.")
        named[name] = value.strip()
    return {
        name: _read(each, named[name]) if name in named else _middle(each)  # in the simulation's own order
        for name, each in by_name.items()
    }


def distributions_of(simulation: SimulationSpec) -> "dict[str, BaseDistribution]":
    """The parameters as Optuna takes them."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for each in simulation.parameters:
        if each.low is None or each.high is None:
            found[each.name] = CategoricalDistribution(each.values)
        elif each.type == "int":
            found[each.name] = IntDistribution(int(each.low), int(each.high))
        else:
            found[each.name] = FloatDistribution(each.low, each.high)
    return found


def told(parameters: Mapping[str, Any]) -> str:
    """The parameters in a line."""
    return ", ".join(f"{name} {value_told(value)}" for name, value in parameters.items())


def value_told(value: Any) -> str:
    """A value of a parameter for a person."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_range(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high) and low < high


def _read(parameter: SimulationParameter, text: str) -> float | int | str:
    if parameter.low is None or parameter.high is None:
        if text not in parameter.values:
            raise QuestionError(
                f"--start {parameter.name}={text}: it is one of {', '.join(parameter.values)}; give one of these."
            )
        return text
    kind = "a whole number" if parameter.type == "int" else "a number"
    try:
        value = int(text) if parameter.type == "int" else float(text)
    except ValueError:
        raise QuestionError(f"--start {parameter.name}={text}: give {kind}.") from None
    if not parameter.low <= value <= parameter.high:
        raise QuestionError(
            f"--start {parameter.name}={text} is outside of its bounds; give {kind} from {parameter.low:g} to"
            f" {parameter.high:g}."
        )
    return value


def _middle(parameter: SimulationParameter) -> float | int | str:
    if parameter.low is None or parameter.high is None:
        return parameter.values[0]
    middle = (parameter.low + parameter.high) / 2
    return int(middle) if parameter.type == "int" else middle
