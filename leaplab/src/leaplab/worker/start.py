"""The child process of a session: binds one integration and answers calls until the pipe closes.

Run as a file, never imported by path of the user: `python -P worker.py FD PACKAGE_HOME ROOT ENTRY_FILE MODEL WIRING`.
"""

import sys


def main(arguments: list[str]) -> None:
    """Put the integration's modules first, then serve it."""
    descriptor, package_home, root, entry_file, *files = arguments
    sys.path.insert(0, package_home)
    from multiprocessing.connection import Connection
    from pathlib import Path

    from leaplab.project.locate import Project
    from leaplab.worker.search_path import integration_first

    sys.path[:] = integration_first(sys.path, root, package_home)
    connection: Connection[object, object] = Connection(int(descriptor))
    # Imported under its package name: the messages are pickled by reference to it.
    from leaplab.worker.serving import serve

    model, wiring = (Path(file) if file else None for file in files)
    serve(connection, Project(Path(root), entry_file), model, wiring)


if __name__ == "__main__":
    main(sys.argv[1:])
