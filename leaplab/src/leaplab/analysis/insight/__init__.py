"""Insights: what is wrong with a model or its data, found by finders that each look for one kind.

A finder is a function of `Samples` that gives `Found`: insights, or the reason why there is none. It is pure: it reads
no file and no other finder's result, draws from a seeded generator only, and gives the same for the same samples.
`Samples` are plain arrays of n rows in an order that no evaluation decides; neighbours and clusters of the latent
space are made once for all finders and lie in `Samples.space`. What an insight has to hold up:

* it was tested on samples that did not suggest it, and corrected for all that was tried;
* its severity lies in [0, 1] and has a formula in the finder's docstring;
* its members come with what they are compared with, an effect size, and numbers of what to do.

leaplab tells the rest: which columns set the members apart, parts into which they divide, and an identity that
outlives the next evaluation. A package adds a finder by an entry point of the group `leaplab.insights` whose name is
the kind; docs/writing-a-finder.md shows one.
"""

from leaplab.analysis.insight.result import Action, BoundTest, Found, Insight, silence
from leaplab.analysis.insight.samples import Labels, Samples, Score, Space

__all__ = ["Action", "BoundTest", "Found", "Insight", "Labels", "Samples", "Score", "Space", "silence"]
