"""What may be asked of a run in a notebook or a script: each answer is a value with a table, and draws itself."""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.labelling import FOCUS
from leaplab.analysis.neighbours import Metric
from leaplab.analysis.pruning import STRATA
from leaplab.errors import QuestionError
from leaplab.population.chart_question import ChartQuestion, Of
from leaplab.population.charts import RunChart, chart_of
from leaplab.population.clusters import Clusters, clusters_of
from leaplab.population.gap import DomainGap, gap_of
from leaplab.population.gap_matrix import DomainGaps, gaps_of
from leaplab.population.heatmap import Heatmap, HeatmapQuestion, HeatMaps
from leaplab.population.heatmap_population import PopulationHeatmap, heatmap_of_samples
from leaplab.population.insights import Insights, Question, insights_of
from leaplab.population.labelling import LabellingList, Wishes, labelling_list_of
from leaplab.population.population import Population
from leaplab.population.predicted_loss import PredictedLoss, predicted_loss_of
from leaplab.population.pruning import PrunedList, Terms, pruned_of
from leaplab.population.similar import SimilarSamples
from leaplab.population.similar_region import SimilarRegions, similar_to_region

Names = list[str] | tuple[str, ...]


class Questions:
    """A run's samples, to be asked for what the analyses say of them.

    Args:
        population: of the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._maps: HeatMaps | None = None

    def where(self, expression: str) -> NDArray[np.int64]:
        """The rows that meet a condition over the columns, ascending.

        Args:
            expression: SQL, such as `metadata.label = 4 and loss.cross_entropy > 1`; names that are no words stand in
                double quotes. What is absent or NaN compares as unknown.

        Raises:
            LeaplabError: it is no such condition, or names what is no column.
        """
        return self._population.where(expression)

    @overload
    def similar(
        self,
        ids: str | Names,
        count: int = 20,
        metric: Metric = "cosine",
        space: str | None = None,
        where: str | None = None,
        region: None = None,
    ) -> SimilarSamples: ...

    @overload
    def similar(
        self,
        ids: str | Names,
        count: int = 20,
        metric: Metric = "cosine",
        *,
        where: str | None = None,
        region: Sequence[float],
        input: str | None = None,
        layer: str | None = None,
    ) -> SimilarRegions: ...

    def similar(
        self,
        ids: str | Names,
        count: int = 20,
        metric: Metric = "cosine",
        space: str | None = None,
        where: str | None = None,
        region: Sequence[float] | None = None,
        input: str | None = None,
        layer: str | None = None,
    ) -> SimilarSamples | SimilarRegions:
        """The samples nearest to one, or to the centre of several, in a latent space; nearest first, without these.

        With a region, the samples of which a place looks to the model like that region of one sample. The cells of the
        run's samples are computed for the first one, by the run's integration, and kept beside the run.

        Args:
            ids: of the samples; `STATE/ID` where an id is not unique.
            count: the most that are wanted.
            metric: `cosine` or `euclidean`.
            space: its name; the model's own where none is given.
            where: only among rows that meet a condition.
            region: of one sample: left, top, right and bottom, in pixels of the input.
            input: that the region lies on; None takes the first that is an image.
            layer: whose cells are compared with those of the region; None takes the last that all ways lead through.

        Raises:
            LeaplabError: there is no such sample, space or metric, `where` is no condition, or the region is none or
                cannot be compared.
        """
        rows = [self._population.row_of(each) for each in ([ids] if isinstance(ids, str) else ids)]
        among = None if where is None else self.where(where)
        if region is not None:
            if space is not None or len(rows) != 1:
                raise QuestionError("A region is of one sample, and compared by a layer's cells and no latent space.")
            cuts = self._opened_maps().cuts
            return similar_to_region(self._population, cuts, rows[0], region, count, metric, input, layer, among)
        if input is not None or layer is not None:
            raise QuestionError("An input and a layer are of a region; name the region, too.")
        return self._population.similar(rows, count, metric, space, among)

    def clusters(self, clusters: int | None = None, space: str | None = None, where: str | None = None) -> Clusters:
        """Clusters of a latent space, and what sets each apart from the rest.

        Args:
            clusters: their number; None chooses it by the silhouette.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.

        Raises:
            LeaplabError: there is no such space, `where` is no condition, or no sample meets it.
        """
        return clusters_of(self._population, clusters, space, None if where is None else self.where(where))

    def insights(
        self,
        kinds: str | Names = (),
        score: str | None = None,
        label: str | None = None,
        space: str | None = None,
        where: str | None = None,
        members: int | None = 100,
    ) -> Insights:
        """What is wrong with the model or its data, the most severe first, see `leaplab.analysis.insight`.

        Args:
            kinds: only these; all where none is given.
            score: loss or metric that says how bad a sample is; None takes the first loss.
            label: column of the true classes; None takes the ground truth.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.
            members: the most that are listed of an insight; None lists all.

        Raises:
            LeaplabError: there is no such kind, column or space, or `where` is no condition.
        """
        wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        among = None if where is None else self.where(where)
        return insights_of(self._population, Question(wanted, score, label, space, among, members))

    def chart(
        self,
        kind: str,
        x: str | None = None,
        y: str | None = None,
        split: str | None = None,
        aggregate: str | None = None,
        where: str | None = None,
        *,
        value: str | None = None,
        bins: int | None = None,
        label: str | None = None,
        threshold: float | None = None,
        of: Of = "samples",
    ) -> RunChart:
        """A chart of columns as numbers, each with how sure it is; a notebook shows its marks.

        Args:
            kind: one of `leaplab.population.charts.KINDS`, such as `bar`.
            x: column along the first axis.
            y: column along the second axis, or that is aggregated.
            split: column of categories, each of which becomes a series.
            aggregate: `mean`, `median`, `count`, `share`, `sum`, `min`, `max` or `quantile:Q`; None takes the mean
                where there is something to aggregate, else the count.
            where: only of rows that meet a condition.
            value: column that the cells of a heat-map aggregate; None counts.
            bins: into how many a number is divided; None chooses.
            label: class that a curve or a threshold is of; None takes all.
            threshold: least confidence that counts as a claim; None takes that of the highest F1.
            of: `samples`, or `objects`: their element instances.

        Raises:
            LeaplabError: there is no such kind or column, `where` is no condition, or the question makes no sense.
        """
        question = ChartQuestion(kind, x, y, split, value, aggregate, bins, label, threshold, of)
        found = chart_of(self._population, question, None if where is None else self.where(where))
        return RunChart(**vars(found))

    def domain_gap(
        self, source: str, target: str, rank: str | None = None, space: str | None = None, where: str | None = None
    ) -> DomainGap:
        """Whether two populations differ, by how much and in which columns, and how near a third is to the second.

        The ranked samples' nearness and distance become the columns `analysis.nearness` and
        `analysis.centroid_distance`.

        Args:
            source: condition of the first population, see `where`.
            target: condition of the second.
            rank: condition of the samples that are ranked by their nearness to the target; None ranks none.
            space: its name; the model's own where none is given.
            where: only rows that meet a condition as well.

        Raises:
            LeaplabError: there is no such space, a condition is none, a population has fewer than five samples, or both
                share samples.
        """
        return gap_of(self._population, source, target, rank, space, None if where is None else self.where(where))

    def domain_gaps(self, by: str, space: str | None = None, where: str | None = None) -> DomainGaps:
        """The gaps between all values of a column that have 30 samples or more.

        Args:
            by: a column of categories, such as `state`.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.

        Raises:
            LeaplabError: there is no such column or space, it has no categories or fewer than two such values, or
                `where` is no condition.
        """
        return gaps_of(self._population, by, space, None if where is None else self.where(where))

    def predict_loss(
        self, state: str, score: str | None = None, space: str | None = None, where: str | None = None
    ) -> PredictedLoss:
        """The loss that each sample of a state is expected to have, where no label says it; how good that is beside it.

        Args:
            state: `unlabeled`, or one whose losses are known, as a check of the prediction itself.
            score: loss or metric that is predicted; None takes the first loss.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.

        Raises:
            LeaplabError: there is no such state, column or space, `where` is no condition, or there is nothing that a
                loss could be predicted from.
        """
        return predicted_loss_of(self._population, state, score, space, None if where is None else self.where(where))

    def heatmap(
        self,
        id: str,
        of: str = "loss",
        input: str | None = None,
        method: str = "ablation",
        layer: str | None = None,
        block: int | None = None,
        baseline: str = "mean",
        decoder: str | None = None,
    ) -> Heatmap:
        """What in a sample raises its loss, a class, a metric or a detection, and what lowers it.

        The run's integration is bound for the first one, and stays so until the run is closed or gone.

        Args:
            id: of the sample; `STATE/ID` where an id is not unique.
            of: `loss` (the sum of all), `loss:NAME`, `class:NAME`, `class:all`, `metric:NAME`, `instance:N` or
                `instance:N:METRIC`, the metric of an element instance, from 0 on, `similar:ID` or `detection:K`, from 1
                on.
            input: that the map lies over; None takes the first that is an image.
            method: `ablation` of cells of a feature map, `occlusion` of patches of the input, or `gradient`.
            layer: to cut the model at; None chooses.
            block: cells (of occlusion, pixels or entries) of a side of what is taken away at once; None chooses.
            baseline: what stands for what is taken away: `mean`, `blur` or `zero`.
            decoder: `yolo` where detections are rows of the output; None asks the integration's visualizer.

        Raises:
            LeaplabError: what is named is not there or makes no sense, or the run's integration cannot be bound.
        """
        question = HeatmapQuestion(self._population.row_of(id), of, input, method, layer, block, baseline, decoder)
        return self._opened_maps().of(question)

    def lean_on_background(
        self,
        where: str,
        of: str = "loss",
        count: int = 200,
        input: str | None = None,
        method: str = "ablation",
        layer: str | None = None,
        block: int | None = None,
        baseline: str = "mean",
    ) -> PopulationHeatmap:
        """The mean heat-map of some samples, and how much of it lies inside the ground truth's boxes or masks.

        The share of each sample is kept as the column `analysis.heat_inside_truth`.

        Args:
            where: the samples.
            of: as of `heatmap`.
            count: the most samples that are looked at.
            input: as of `heatmap`, like all that follow.

        Raises:
            LeaplabError: as of `heatmap`, or no sample meets the condition.
        """
        question = HeatmapQuestion(0, of, input, method, layer, block, baseline)
        return heatmap_of_samples(self._opened_maps(), self._population, self.where(where), question, count)

    def _opened_maps(self) -> HeatMaps:
        if self._maps is None:
            self._maps = HeatMaps(self._population)
            weakref.finalize(self, self._maps.close)
        return self._maps

    def close(self) -> None:
        """End the integration's process that heat-maps have started, if there is one."""
        if self._maps is not None:
            self._maps.close()

    def prioritize(
        self,
        budget: int,
        state: str = "unlabeled",
        balance: str | None = None,
        apart: str | None = None,
        after: str | os.PathLike[str] | None = None,
        score: str | None = None,
        focus: float = FOCUS,
        space: str | None = None,
        where: str | None = None,
        *,
        compare: bool = False,
    ) -> LabellingList:
        """Which samples to label first: those that stand for many others, above all where the model probably fails.

        Their ranks become the column `analysis.labelling_rank`.

        Args:
            budget: how many.
            state: of the samples that may be chosen.
            balance: column of which each value gets the same share.
            apart: column of which no value comes twice before each has come once, such as a video.
            after: file of a former list, which is left out and counts as covered.
            score: loss or metric that is predicted; None takes the first loss.
            focus: from 0, what covers all samples, to 1, only where the predicted loss is high.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.
            compare: with random samples and those of the highest predicted loss.

        Raises:
            LeaplabError: there is no such state, column or space, a column has no value of any of the samples, there
                are fewer samples than asked for, the former list is none, or `where` is no condition.
        """
        wishes = Wishes(state, balance, apart, None if after is None else Path(after), score, focus, space)
        among = None if where is None else self.where(where)
        return labelling_list_of(self._population, budget, wishes, among, compare=compare)

    def prune(
        self,
        keep: int | float,
        state: str = "training",
        cluster: int | None = None,
        min_distance: float = 0.0,
        balance: str | None = None,
        first: str | None = None,
        clusters: int | None = None,
        strata: int = STRATA,
        subgroups: int | None = None,
        space: str | None = None,
        where: str | None = None,
    ) -> PrunedList:
        """Which samples to keep: of every cluster, near and far from its centre, its share.

        `analysis.pruning_kept` becomes a column: 1 for what is kept, 0 for what goes.

        Args:
            keep: how many as a whole number, or their share as a number with a fraction.
            state: of the samples.
            cluster: prune this one only, and keep the others whole.
            min_distance: what lies nearer than this to its cluster's centre goes first.
            balance: column of which each value keeps the same share.
            first: column whose greatest values are kept first in each subgroup.
            clusters: their number; None chooses it by the silhouette.
            strata: into how many each cluster is divided by distance.
            subgroups: into how many each of these is divided; None makes them by its size.
            space: its name; the model's own where none is given.
            where: only of rows that meet a condition.

        Raises:
            LeaplabError: there is no such state, cluster, column or space, there are fewer samples than to keep, or
                `where` is no condition.
        """
        terms = Terms(state, cluster, min_distance, balance, first, clusters, strata, subgroups, space)
        return pruned_of(self._population, keep, terms, None if where is None else self.where(where))
