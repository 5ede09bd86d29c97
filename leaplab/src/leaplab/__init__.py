"""A local laboratory for any Tensorleap integration.

run = leaplab.open_run("mnist_cnn")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaplab.population.opened import Run, open_run

__all__ = ["Run", "open_run"]


def __getattr__(name: str) -> Any:
    # Importing leaplab costs nothing until something is asked of it.
    if name in __all__:
        from leaplab.population import opened

        return getattr(opened, name)
    raise AttributeError(f"module 'leaplab' has no attribute {name!r}")
