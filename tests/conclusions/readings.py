"""The second analysis's runs of Table 1 by reading, as sentences of chapters 3 and 4 look at them."""

from vimae_core.chapters import statements
from vimae_core.chapters.conventions import table_1
from vimae_core.report.claims import difference, measured


def wae(r):
    return table_1(r["digits"], "wae")


def wae_code(r):
    return table_1(r["digits"], "wae-code")


def held(r):
    return table_1(r["digits"], "constrained")


def free(r):
    return table_1(r["digits"], "bernoulli")


def gaussian(r):
    return table_1(r["digits"], "gaussian")


def apart(r, one, other, measure, model="VIMAE-n"):
    """A measure of a model under one convention less that under another, seed by seed."""
    return {f"{model}, {measure}": difference(*(measured(of(r), model, measure) for of in (one, other)))}


def between_priors(r, convention):
    """Of VIMAE-n and VIMAE-l on clean digits, under noise, half-masked, and of their two losses: what came out."""
    return list(statements.between_priors(r["digits"], convention).values())
