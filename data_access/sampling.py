"""Seeded limits on how many samples are used."""

from collections.abc import Sequence
from hashlib import blake2b
from heapq import nsmallest


def limit(ids: Sequence[str], maximum: int | None, seed: int) -> list[str]:
    """At most `maximum` of the ids, drawn at random by `seed`, in their original order.

    All of them where `maximum` is None or not below their number. The draw depends on nothing but the seed
    and each id itself: it is the same in every process and under every library version, a larger limit keeps
    all that a smaller one chose, and a sample added to the dataset displaces at most one other.

    Raises:
        ValueError: `maximum` is below 1.
    """
    if maximum is not None and maximum < 1:
        raise ValueError(f"A sample limit must be at least 1 (or None for all samples), got {maximum}.")
    if maximum is None or maximum >= len(ids):
        return list(ids)
    # A hash per id rather than a generator's stream: streams may change between library versions, and one id
    # more would reshuffle all the others.
    ranks = [blake2b(f"{seed}:{sample_id}".encode(), digest_size=8).digest() for sample_id in ids]
    chosen = nsmallest(maximum, range(len(ids)), key=lambda position: (ranks[position], position))
    return [ids[position] for position in sorted(chosen)]
