"""Tensorleap's entry file: picks the active example, nothing else."""

from importlib import import_module
from pathlib import Path

from data_access.active_example import active_example

example = import_module(f"{active_example(Path(__file__).resolve().parent)}.leap_binder")
preprocess, integration_test = example.preprocess, example.integration_test
