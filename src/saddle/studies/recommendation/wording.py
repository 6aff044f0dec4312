"""The sentences of a recommendation: the same in the terminal and on the page."""

from saddle.report.tables import format_list, format_number
from saddle.studies.recommendation.answer import Answer
from saddle.studies.recommendation.decision import REACH
from saddle.studies.recommendation.forecast import Forecast
from saddle.studies.recommendation.held_out import HeldOut
from saddle.theory.power_law import PowerLaw

__all__ = [
    "UNITS",
    "cost_words",
    "failure_words",
    "headline",
    "held_out_words",
    "law_words",
    "rule",
    "warnings",
]

UNITS = {"sampling": "ms per image", "latency": "ms for one image", "training": "ms per training step"}
COUNTED = {
    "sampling": "a batch of 64 latents to images as bytes, divided by 64",
    "latency": "one latent to one image as bytes, alone",
    "training": "one step of one GAN: all critic steps and the generator's, penalties, Adam and the moving average",
}


def headline(answer: Answer) -> str:
    """Return the recommendation in a sentence or two."""
    made, metric = answer.decision, f"{answer.evidence.split} {answer.evidence.metric}"
    kind = "predicted" if made.by_law else "median"
    percent = f"{100 * made.tolerance:g}\u00a0%"
    if made.budget is not None:
        text = (
            f"Width {made.width}: the smallest whose {kind} {metric}, {format_number(made.value)}, is within {percent} "
            f"of the best that {format_number(made.budget)} {UNITS[answer.of]} buys ({format_number(made.best)})."
        )
    elif not made.by_law:
        text = (
            f"Width {made.width}: the smallest measured width whose median {metric}, {format_number(made.value)}, is "
            f"within {percent} of the best one ({format_number(made.best)})."
        )
    elif made.enough:
        text = (
            f"Width {made.width}: the smallest whose predicted {metric}, {format_number(made.value)}, is within "
            f"{percent} of the law's limit of infinite width ({format_number(made.best)})."
        )
    else:
        text = (
            f"Width {made.width}, and it is not enough: its predicted {metric}, {format_number(made.value)}, is still "
            f"more than {percent} above the law's limit ({format_number(made.best)}), and beyond {REACH} times the "
            "largest measured width nothing is predicted."
        )
    return f"{text} {_confidence(answer)}"


def _confidence(answer: Answer) -> str:
    made = answer.decision
    if made.interval is None or made.agreement is None or made.wide_enough is None:
        return "With one seed a width there is no interval: another seed might choose another width."
    if not made.enough and made.budget is None:
        return f"In {_percent(1 - made.wide_enough)} of the resamples of the seeds it is not enough either."
    low, high = made.interval
    between = f"are {low}" if low == high else f"lie between {low} and {high}"
    return (
        f"Resampling the seeds, 95\u00a0% of the choices {between}; {_percent(made.agreement)} are this very width, "
        f"and in {_percent(made.wide_enough)} it is wide enough."
    )


def rule(answer: Answer) -> str:
    """Return the decision rule as it was applied."""
    made = answer.decision
    best = (
        "the law's limit of infinite width"
        if made.budget is None and made.by_law
        else "the best candidate"
        if made.budget is None
        else "the best candidate within the budget"
    )
    return (
        f"Rule: the smallest candidate within {100 * made.tolerance:g}\u00a0% of {best}. Candidates: "
        f"{format_list([each.width for each in answer.candidates if made.by_law or each.level is not None])}."
    )


def law_words(answer: Answer) -> str:
    """Return the law, or why there is none."""
    found = answer.forecast
    if not isinstance(found, Forecast):
        return f"{found.reason} So only the measured widths are compared, by their medians."
    law = found.law
    words = f"Law: a + b·k⁻ᶜ with {', '.join(_parameter(law, name) for name in 'abc')}; it meets the widths' means to "
    words += f"{format_number(100 * law.error, 2)}\u00a0% (root mean square)."
    if found.misfit:
        words += (
            f" The means lie farther from it than the seeds explain (p = {format_number(found.misfit_p, 2)}), so the "
            f"intervals of the predictions hold a misfit of {_percent(found.misfit)} too."
        )
    if len(law.widths) == 3:
        words += " Three widths determine three numbers, so nothing tests the fit."
    if law.flat_share > 0.025:
        words += (
            f" In {_percent(law.flat_share)} of the resamples the distance does not fall with width at all."
        )
    if law.draws is None:
        return f"{words} One seed a width: how much runs differ is unknown, so nothing here has an interval."
    how = (
        "the same seeds together at all widths"
        if law.paired
        else "runs one by one (fewer than five seeds: their relative deviations are pooled over the widths)"
    )
    return f"{words} The bootstrap resamples {how}."


def _parameter(law: PowerLaw, name: str) -> str:
    value, ends = getattr(law, name), law.interval(name)  # type: ignore[arg-type]
    own = f"{name} = {format_number(value)}"
    return own if ends is None else f"{own} ({format_number(ends[0])} to {format_number(ends[1])})"


def held_out_words(answer: Answer) -> str:
    """Return how the law did at the largest width when it had not seen it."""
    found = answer.held_out
    return f"Held out: {found}" if isinstance(found, HeldOut) else f"No held-out check: {found.reason}"


def cost_words(answer: Answer) -> str:
    """Return what was counted, where, and the cost curve's own error."""
    of, where = answer.of, answer.costs.conditions
    clock = (
        "processor time of one thread"
        if where.get("clock") == "processor"
        else f"wall clock, {where.get('threads')} threads"
    )
    words = (
        f"Cost ({of}): {COUNTED[of]}; {clock} on {where.get('device')} ({where.get('cpu')}), median of interleaved rounds"
        f"{', measured by an earlier command' if answer.costs.cached else ''}."
    )
    errors = answer.curve.held_out
    if errors:
        worst = max(errors, key=lambda k: abs(errors[k]))
        words += (
            f" The cost curve was measured at widths {format_list(sorted(answer.curve.points))}; predicting each inner "
            f"one from the others errs by at most {100 * abs(errors[worst]):.0f}\u00a0% (width {worst})."
        )
    return words


def failure_words(answer: Answer) -> str:
    """Return how many runs of each width failed, and how that counts."""
    bad = [each for each in answer.evidence.failures if each.failed or each.collapsed]
    total = sum(each.runs for each in answer.evidence.failures)
    if not bad:
        return f"None of the {total} runs failed or ended at more than 3 times the best of its width."
    return (
        f"{'; '.join(map(str, bad)).capitalize()}. Failed runs have no final distance and are left out of the law; collapsed "
        "ones (more than 3 times the best of their width) are in it. So the distances are those of runs that end: "
        "multiply the time for training by the tries that a width needs."
    )


def warnings(answer: Answer) -> list[str]:
    """Return what a reader must not miss."""
    made, found = answer.decision, []
    widest = max(answer.evidence.widths)
    if made.ratio > 1:
        how = "more than twice as wide as anything" if made.ratio > 2 else "wider than anything"
        found.append(
            f"Width {made.width} is {how} that was trained (up to {widest}): this is extrapolated, so train it before you "
            "rely on it."
        )
    if not made.enough and made.budget is None:
        found.append(
            "The law sees no width within reach that comes near its limit; train wider ones and ask again."
        )
    if not made.by_law and made.width == widest:
        found.append(
            "It is the widest that was trained; a wider one may be better, and these runs cannot say."
        )
    chosen = answer.chosen
    if chosen.cost.beyond:
        found.append(
            f"Its cost lies beyond the widths whose cost was measured (up to {max(answer.curve.points)}) and is extrapolated."
        )
    if made.over_budget is not None and made.over_budget > 0.05:
        found.append(f"With probability {_percent(made.over_budget)} its cost is above the budget.")
    if answer.evidence.networks.width_g is not None and answer.of != "training":
        found.append(
            f"The sweep holds the generator at width {answer.evidence.networks.width_g}, so every width costs the same per "
            "image; --of training compares what differs."
        )
    found += [f"{str(each).capitalize()}: more than half, so it is no candidate." for each in answer.left_out]
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
