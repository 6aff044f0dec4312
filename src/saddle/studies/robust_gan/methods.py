"""The ways to train that the study compares."""

from dataclasses import dataclass
from typing import Literal, final

from saddle.studies.robust_gan.mixture import Setting
from saddle.studies.robust_gan.problem import RobustGan, Rule
from saddle.transport import rho_for

__all__ = ["METHODS", "Method"]


@final
@dataclass(frozen=True, kw_only=True)
class Method:
    """Where the weights of the real points are from, and which points there are."""

    name: str
    rule: Rule = "none"
    scale: float = 1.0
    "Times rho*, the radius that just removes the share of outliers that the method is told."
    points: Literal["all", "filtered", "clean"] = "all"
    "filtered: without the share that an isolation forest finds the most isolated; clean: without the true outliers."
    words: str
    "What it does, for the page."

    def problem(self, setting: Setting) -> RobustGan:
        """The game of this method on this setting's data."""
        return RobustGan(
            setting=setting, rule=self.rule, rho=self.scale * rho_for(setting.assumed), share=setting.assumed
        )


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(name="plain", words="WGAN-GP: every point counts the same."),
        Method(
            name="exact",
            rule="chi-square",
            words="Weights that minimise the batch's mean score within the chi-square ball of radius rho*, in closed form.",
        ),
        Method(name="exact, 2 rho*", rule="chi-square", scale=2.0, words="The same with twice the radius."),
        Method(name="exact, rho*/2", rule="chi-square", scale=0.5, words="The same with half the radius."),
        Method(
            name="trim",
            rule="trim",
            words="The share with the highest scores of every batch counts nothing, the rest more.",
        ),
        Method(
            name="network",
            rule="network",
            words="Weights from a network of their own, a third player, held to rho* by a penalty of 100 times the excess.",
        ),
        Method(
            name="stale",
            rule="given",
            words="Exact weights of the whole training set within rho*, renewed every 10 generator steps from scores that are "
            "averaged with their past (factor ½).",
        ),
        Method(
            name="filter",
            points="filtered",
            words="An isolation forest removes the share that it finds the most isolated; then WGAN-GP.",
        ),
        Method(
            name="oracle",
            points="clean",
            words="WGAN-GP without the true outliers: what nobody has.",
        ),
    )
}
