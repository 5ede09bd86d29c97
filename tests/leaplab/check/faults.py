"""At least one fault for each rule: a change of the integration `good` that breaks just that rule."""

from tests.leaplab.check import faults_of_binding, faults_of_bundles, faults_of_samples, faults_of_scores

FAULTS = (
    *faults_of_bundles.FAULTS,
    *faults_of_binding.FAULTS,
    *faults_of_samples.FAULTS,
    *faults_of_scores.FAULTS,
)
