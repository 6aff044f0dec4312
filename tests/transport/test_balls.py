"""Radii and their conventions."""

import math

import pytest

from saddle.errors import UserError
from saddle.transport import ChiSquareBall, CvarBall, KullbackLeiblerBall, TotalVariationBall, rho_for


@pytest.mark.parametrize("share", [0.025, 0.05, 0.1, 0.2])
def test_the_radius_for_a_share_is_where_its_removal_just_fits(share):
    # W = 1/(1 − g) on the clean mass 1 − g and 0 on the rest g lies exactly on the ball's boundary.
    w, g = 1 / (1 - share), share
    assert rho_for(g) == pytest.approx(((1 - g) * (w - 1) ** 2 + g) / 2, rel=1e-12)
    assert rho_for(g, ball="kullback-leibler") == pytest.approx((1 - g) * w * math.log(w), rel=1e-12)
    assert rho_for(g, ball="total-variation") == pytest.approx(((1 - g) * (w - 1) + g) / 2, rel=1e-12)
    assert CvarBall(share=rho_for(g, ball="cvar")).share == g


def test_the_two_conventions_of_the_chi_square_radius_differ_by_two():
    assert ChiSquareBall(rho=0.05) == ChiSquareBall(chi2=0.1)
    assert ChiSquareBall(chi2=0.1).rho == 0.05


@pytest.mark.parametrize(
    "make",
    [
        lambda: ChiSquareBall(),
        lambda: ChiSquareBall(rho=0.1, chi2=0.2),
        lambda: ChiSquareBall(rho=-0.1),
        lambda: ChiSquareBall(chi2=math.nan),
        lambda: KullbackLeiblerBall(rho=math.inf),
        lambda: TotalVariationBall(rho=-1e-9),
        lambda: CvarBall(share=1),
        lambda: rho_for(1.0),
        lambda: rho_for(-0.1),
        lambda: rho_for(math.nan),
    ],
)
def test_a_radius_that_means_nothing_is_refused(make):
    with pytest.raises(UserError, match=r"; "):
        make()


@pytest.mark.parametrize("name", ["rho", "chi2"])
def test_a_negative_radius_is_called_negative(name):
    # −1 was the mark of a radius that was not given.
    with pytest.raises(UserError, match=f"The radius {name} is -1"):
        ChiSquareBall(**{name: -1})
