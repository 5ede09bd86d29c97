"""Which boards a report shows."""

from collections.abc import Sequence

from leaplab.errors import MissingError
from leaplab.population.boards import Board, Boards
from leaplab.population.population import Population
from leaplab.population.proposed_board import proposed_board


def chosen_boards(population: Population, names: Sequence[str] = ()) -> list[Board]:
    """The boards of these names; without any all that a person made, else the one that is proposed.

    Raises:
        LeaplabError: there is no such board, or the notes are damaged.
    """
    made = {board.name: board for board in Boards(population.store.path).told()}
    proposed = proposed_board(population)
    for name in names:
        if name not in made and name != proposed.name:
            known = ", ".join([*made, proposed.name])
            raise MissingError(f"This run has no board '{name}'; it has {known}.")
    if names:
        return [made.get(name, proposed) for name in names]
    return list(made.values()) or [proposed]
