"""What a person who looks at a run should know of it."""

from typing import TYPE_CHECKING

from leaplab.analysis.projection import LANDMARKS
from leaplab.errors import LeaplabError
from leaplab.population.clusters import notices_of_clusters
from leaplab.population.landmarks import notice_of

if TYPE_CHECKING:
    from leaplab.population.population import Population


def notices_of(population: "Population") -> list[str]:
    """A sentence each: what its evaluation told, and what its latent spaces lack."""
    notices = list(population.store.manifest.notices)
    if not population.spaces:
        notices.append("This run has no latent space: its samples are laid out in their order.")
    for space in population.spaces:
        try:
            vectors = population.vectors(space)
        except LeaplabError as error:
            notices.append(str(error))
            continue
        if vectors.left_out:
            notices.append(
                f"{vectors.left_out:,} of {population.samples:,} vectors of the latent space '{space}' hold NaN or"
                " infinity, and are on no map."
            )
        if len(vectors.rows) > LANDMARKS:
            notices.append(
                f"The map of the latent space '{space}' is by landmarks: it is drawn of {LANDMARKS:,} of"
                f" {len(vectors.rows):,} samples, and the others lie where the nearest of these do."
            )
        notices += notices_of_clusters(len(vectors.rows))
    told = notice_of(population, None)
    return [*notices, told] if told is not None else notices
