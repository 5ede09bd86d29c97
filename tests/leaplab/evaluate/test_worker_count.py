"""How many workers are worth starting, by examples that were worked by hand."""

from pathlib import Path

import pytest

from leaplab.evaluate.worker_count import Choice, Machine, choose, this_machine, threads_of
from leaplab.protocol.results import Effort

GIB = 2**30


def chosen(
    processor: float,
    parts: int = 10,
    *,
    start_up: float = 2.0,
    cores: int = 2,
    free: int | None = None,
    part: float = 5,
) -> Choice:
    """Of a part of 1,000 samples that took 5 s, in which so many seconds of processors were used."""
    effort = Effort(part, processor, 0.9 * part, 0.1 * part, GIB)
    return choose(effort, 1000, [1000] * parts, start_up, Machine(cores, free))


@pytest.mark.parametrize(
    ("workers", "cores", "threads"),
    [(1, 2, 1), (2, 2, 1), (1, 4, 3), (2, 4, 1), (2, 8, 3), (3, 16, 4), (4, 4, 1), (9, 4, 1), (1, 1, 1)],
)
def test_cores_are_divided_and_one_of_each_share_is_left_to_encoding(workers: int, cores: int, threads: int) -> None:
    assert threads_of(workers, cores) == threads


def test_a_second_worker_pays_where_one_keeps_one_core_of_two_busy() -> None:
    assert chosen(5.0) == Choice(
        2, "2 workers, as encoding and scoring take longer than the model (4.5 ms and 0.5 ms a sample)."
    )


def test_no_other_is_started_where_one_keeps_all_cores_busy() -> None:
    assert chosen(10.0) == Choice(1, "1 worker, as it uses 2.0 of 2 cores by itself.")


@pytest.mark.parametrize(("processor", "workers"), [(8.0, 2), (8.9, 2), (9.5, 1)])
def test_cores_that_are_partly_idle_are_worth_as_much_as_is_idle_of_them(processor: float, workers: int) -> None:
    # 100 parts of 5 s: 500 s alone. Two at 1.6 of 2 cores take 1.6 / 2 of it, at 1.9 only .95: a tenth is asked.
    assert chosen(processor, 100).workers == workers


def test_starting_it_is_weighed_against_what_is_left() -> None:
    # Two parts of 5 s: 10 s alone. The second takes one of them from its start on: 2 s + 5 s = 7 s, or 9 s + 5 s.
    assert chosen(5.0, 2, start_up=2).workers == 2
    assert chosen(5.0, 2, start_up=9) == Choice(1, "1 worker, as another would hardly have started before the end.")


def test_whole_parts_are_counted() -> None:
    # Of three parts of 5 s, one worker has two, 10 s, however many there are: 15 s become 10 s, by two as by three.
    assert chosen(5.0, 3, cores=8, start_up=0).workers == 3
    assert chosen(5.0, 4, cores=3, start_up=0).workers == 2  # two each; a third would have one, and another still two


def test_little_is_done_by_one() -> None:
    assert chosen(0.5, 2, part=0.5) == Choice(1, "1 worker, as there is little left to do.")
    assert chosen(5.0, 1) == Choice(1, "1 worker, as one part is left.")


def test_many_cores_take_many_workers_and_no_more_than_parts() -> None:
    # 64 parts of 5 s by 8 of 8 cores: 8 each, 40 s of 320 s, and starting them.
    assert chosen(5.0, 64, cores=8).workers == 8
    assert chosen(5.0, 6, cores=8).workers == 6


def test_memory_that_is_free_bounds_them() -> None:
    assert chosen(5.0, 64, cores=8, free=2 * GIB + 5).workers == 3
    assert chosen(5.0, 64, cores=8, free=GIB // 2) == Choice(
        1, "1 worker, as it takes 1.0 GiB of memory and 0.5 GiB are free."
    )


def test_where_the_model_takes_longer_the_idle_cores_are_told() -> None:
    effort = Effort(5.0, 5.5, 1.0, 4.0, GIB)
    assert choose(effort, 1000, [1000] * 50, 2.0, Machine(4)).reason == "4 workers, as one uses only 1.1 of 4 cores."


def test_a_part_of_which_no_sample_was_evaluated_chooses_one() -> None:
    assert choose(Effort(0.0, 0.0, 0.0, 0.0, 0), 0, [1000], 2.0, Machine(8)).workers == 1


def test_this_machine_has_cores_and_memory() -> None:
    machine = this_machine()

    assert machine.cores >= 1
    if Path("/proc/meminfo").exists():
        assert machine.memory is not None
        assert 2**20 < machine.memory < 2**50
