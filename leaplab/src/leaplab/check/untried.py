"""What a check could not try, and why: a sentence each."""

from collections.abc import Iterator

from leaplab.check.evidence import PROOF_LIMIT, Evidence


def not_tried(evidence: Evidence) -> tuple[str, ...]:
    """Each once, beginning with what keeps the most from being tried."""
    return tuple(dict.fromkeys(_sentences(evidence)))


def _sentences(evidence: Evidence) -> Iterator[str]:
    if evidence.project is None:
        yield "Nothing of the integration was run: there is no entry file to bind."
        return
    local = evidence.local
    lacking = evidence.proof.untried if evidence.proof else ()
    yield from lacking
    # Where that is what keeps it from being bound, there is nothing to add.
    if lacking and evidence.proof is not None and not evidence.proof.is_bound:
        return
    if evidence.probe is None and not (lacking and evidence.is_lack(_why_no_probe(evidence))):
        yield f"No handler was tried on samples: {_why_no_probe(evidence)}."
    elif evidence.probe is not None:
        yield from evidence.probe.untried
    if evidence.listing is None:
        yield "The bundle was not tried on its own: what it holds is not known."
    elif evidence.listing.size > PROOF_LIMIT:
        yield f"The bundle was not tried on its own: it has {evidence.listing.size / 2**20:.0f} MiB."
    elif evidence.proof is None and evidence.proof_error:
        yield f"The bundle was not tried on its own: {evidence.proof_error.rstrip('.')}."
    error = local.report.get("preprocess_error")
    if (error and not (lacking and evidence.is_lack(error["message"]))) or local.report.get("stage") == "preprocess":
        yield "The integration test was not run: preprocess gives no samples."


def _why_no_probe(evidence: Evidence) -> str:
    if evidence.probe_error:
        return evidence.probe_error.rstrip(".")
    if evidence.local.ended:
        return f"the process that binds the integration {evidence.local.ended}"
    if evidence.local.report.get("error"):
        return "the entry file cannot be bound"
    return "code-loader calls the integration invalid"
