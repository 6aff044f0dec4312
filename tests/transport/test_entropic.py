"""The entropic solver: Sinkhorn's plan without balls, the conic solver's value with them, and bounds that always hold."""

import numpy as np
import pytest
import torch
from pytest import approx
from scipy.spatial.distance import cdist
from scipy.special import wrightomega

from saddle.errors import UserError
from saddle.transport import (
    ChiSquareBall,
    CvarBall,
    KullbackLeiblerBall,
    NotCertifiedError,
    TotalVariationBall,
    TransportStatus,
    entropic,
    robust,
    robust_mean,
    transport_problem,
    weights,
)
from saddle.transport.entropic_mixing import Mixing
from saddle.transport.entropic_proximal import Proximal, log_wright_omega

BALLS = [
    ChiSquareBall(chi2=0.1),
    KullbackLeiblerBall(rho=0.08),
    TotalVariationBall(rho=0.08),
    CvarBall(share=0.08),
]
every_ball = pytest.mark.parametrize("ball", BALLS, ids=[ball.name for ball in BALLS])


def clouds(n: int = 40, m: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + np.array([1.0, 0.0])
    x[: n // 12] += 8
    return x, y


def conic(cost, a, b, ball_x, ball_y) -> float:
    """The robust program in cvxpy."""
    cp = pytest.importorskip("cvxpy")
    plan = cp.Variable(cost.shape, nonneg=True)
    constraints = [cp.sum(plan) == 1]
    for moved, p, ball in ((cp.sum(plan, 1), a, ball_x), (cp.sum(plan, 0), b, ball_y)):
        match ball:
            case None:
                constraints.append(moved == p)
            case ChiSquareBall():
                constraints.append(cp.sum_squares(cp.multiply(moved - p, p**-0.5)) <= ball.chi2)
            case KullbackLeiblerBall():
                constraints.append(cp.sum(cp.kl_div(moved, p)) <= ball.rho)
            case TotalVariationBall():
                constraints.append(cp.norm1(moved - p) <= 2 * ball.rho)
            case CvarBall():
                constraints.append(moved <= p / (1 - ball.share))
    problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(cost, plan))), constraints)
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value)


def check_bounds(found, cost, a, b, ball_x, ball_y) -> None:
    """The plan is feasible and costs `upper`; the potentials are feasible and are worth `lower`."""
    plan = found.plan
    assert (plan >= 0).all()
    assert plan.sum(1) == approx(a * found.weights_x, abs=1e-12)
    assert plan.sum(0) == approx(b * found.weights_y, abs=1e-12)
    assert (plan * cost).sum() == approx(found.upper, rel=1e-10)
    f, g = found.potential_x, found.potential_y
    assert (f[:, None] + g <= cost + 1e-12).all()
    worth = 0.0
    for scores, p, w, ball in ((f, a, found.weights_x, ball_x), (g, b, found.weights_y, ball_y)):
        worth += float(p @ scores if ball is None else robust_mean(scores, base=p, ball=ball))
        assert p @ w == approx(1, abs=1e-12)
        match ball:
            case None:
                assert w == approx(np.ones(len(p)), abs=1e-12)
            case ChiSquareBall():
                assert p @ (w - 1) ** 2 <= ball.chi2 + 1e-10
            case KullbackLeiblerBall():
                assert p[w > 0] @ (w * np.log(w.clip(1e-300)))[w > 0] <= ball.rho + 1e-10
            case TotalVariationBall():
                assert p @ abs(w - 1) / 2 <= ball.rho + 1e-10
            case CvarBall():
                assert w.max() <= 1 / (1 - ball.share) + 1e-10
    assert worth == approx(found.lower, rel=1e-10, abs=1e-12)
    assert found.lower <= found.upper


@every_ball
@pytest.mark.parametrize("ball_y", [None, ChiSquareBall(chi2=0.05)], ids=["one-sided", "two-sided"])
def test_bounds_hold_the_conic_solvers_value(ball, ball_y):
    x, y = clouds()
    rng = np.random.default_rng(1)
    a, b = rng.dirichlet(np.full(40, 4.0)), rng.dirichlet(np.full(30, 4.0))
    found = entropic(x, y, a=a, b=b, ball=ball, ball_y=ball_y)
    assert found.status is TransportStatus.CERTIFIED and found.gap <= 1e-2
    cost = cdist(x, y)
    check_bounds(found, cost, a, b, ball, ball_y)
    value = conic(cost, a, b, ball, ball_y)
    assert found.lower - 1e-6 * value <= value <= found.upper + 1e-6 * value


def test_without_balls_it_is_sinkhorn():
    ot = pytest.importorskip("ot")
    x, y = clouds()
    rng = np.random.default_rng(2)
    a, b = rng.dirichlet(np.ones(40)), rng.dirichlet(np.ones(30))
    cost = cdist(x, y, "sqeuclidean")
    reference = ot.sinkhorn(a, b, cost, 2.0, method="sinkhorn_log", stopThr=1e-12, numItermax=10_000)
    found = entropic(x, y, a=a, b=b, cost="sqeuclidean", epsilon=2.0)
    assert found.plan is not None
    assert found.plan == approx(reference, abs=1e-9)


def test_a_smaller_epsilon_is_nearer_to_the_exact_value():
    x, y = clouds()
    a, b = np.full(40, 1 / 40), np.full(30, 1 / 30)
    value = conic(cdist(x, y), a, b, BALLS[0], None)
    gaps = [entropic(x, y, ball=BALLS[0], epsilon=share * value).gap for share in (0.3, 0.1, 0.03)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.03
    tight = entropic(x, y, ball=BALLS[0], tol=1e-3)
    assert tight.value == approx(value, rel=1e-3)


@every_ball
def test_blocks_are_the_whole(ball):
    x, y = clouds()
    whole, blocks = (entropic(x, y, ball=ball, memory=memory) for memory in (None, 1))
    assert whole.plan is not None and blocks.plan is None
    assert (blocks.upper, blocks.lower) == approx((whole.upper, whole.lower), rel=1e-9)
    assert blocks.weights_x == approx(whole.weights_x, abs=1e-7)


def test_many_blocks_are_one(monkeypatch):
    x, y = clouds()
    whole = entropic(x, y, ball=BALLS[0])
    monkeypatch.setattr("saddle.transport.entropic_costs._ENTRIES", {"cpu": 64})
    for memory in (None, 1):
        blocks = entropic(x, y, ball=BALLS[0], memory=memory)
        assert (blocks.upper, blocks.lower) == approx((whole.upper, whole.lower), rel=1e-9)


def test_float32_sums_give_bounds_in_float64():
    x, y = clouds()
    found = entropic(x, y, ball=BALLS[0], dtype="float32")
    assert found.certified
    uniform = np.full(40, 1 / 40), np.full(30, 1 / 30)
    check_bounds(found, cdist(x, y), *uniform, BALLS[0], None)


def test_the_origin_and_the_unit_do_not_matter():
    x, y = clouds()
    at_home = entropic(x, y, ball=BALLS[0])
    away = entropic(x + 1e6, y + 1e6, ball=BALLS[0])
    assert away.upper == approx(at_home.upper, rel=1e-6)
    large = entropic(1e5 * x, 1e5 * y, ball=BALLS[0])
    assert large.upper == approx(1e5 * at_home.upper, rel=1e-6)


def test_a_problem_and_a_matrix_are_taken():
    x, y = clouds()
    direct = entropic(x, y, ball=BALLS[0])
    problem = transport_problem(cost=cdist(x, y), ball_x=BALLS[0])
    assert entropic(problem).upper == approx(direct.upper, rel=1e-9)
    assert entropic(torch.from_numpy(x), torch.from_numpy(y), ball=BALLS[0]).upper == direct.upper


def test_samples_without_mass_take_no_part():
    x, y = clouds()
    a = np.append(np.full(40, 1 / 40), 0.0)
    found = entropic(np.vstack([x, [[50.0, 50.0]]]), y, a=a, ball=BALLS[0])
    assert found.certified
    without = entropic(x, y, ball=BALLS[0])
    assert found.lower <= without.upper and without.lower <= found.upper
    assert found.plan is not None and found.plan[40].sum() == 0


def test_a_tolerance_below_what_the_iterations_reach_is_told():
    x, y = clouds()
    found = entropic(x, y, ball=BALLS[0], tol=1e-9, max_iterations=30)
    assert found.status is TransportStatus.EXHAUSTED and found.iterations == 30
    with pytest.raises(NotCertifiedError, match="known only to lie between"):
        _ = found.value
    fixed = entropic(x, y, ball=BALLS[0], epsilon=1.0)
    assert fixed.status is TransportStatus.STALLED and fixed.gap > 1e-2


@pytest.mark.parametrize(
    "ball",
    [ChiSquareBall(chi2=1000), KullbackLeiblerBall(rho=50), TotalVariationBall(rho=1), CvarBall(share=0.999)],
    ids=[ball.name for ball in BALLS],
)
def test_a_large_ball_leaves_the_cheapest_pairs(ball):
    # Both sides free to go anywhere: the least cost of all.
    x, y = clouds()
    found = entropic(x, y, ball=ball, ball_y=ball, tol=0.05)
    assert found.certified
    assert found.upper == approx(cdist(x, y).min(), rel=0.05)


def test_radius_zero_is_the_balanced_problem():
    x, y = clouds()
    balanced = entropic(x, y)
    for ball in (
        ChiSquareBall(rho=0),
        KullbackLeiblerBall(rho=0),
        TotalVariationBall(rho=0),
        CvarBall(share=0),
    ):
        assert entropic(x, y, ball=ball).upper == approx(balanced.upper, rel=1e-9)


def test_wrights_function_is_scipys():
    z = torch.linspace(-700, 1e5, 4001, dtype=torch.float64)
    z = torch.cat([z, torch.linspace(-5, 5, 1001, dtype=torch.float64)])
    assert log_wright_omega(z).exp().numpy() == approx(wrightomega(z.numpy()), rel=1e-12)


@every_ball
def test_the_proximal_weights_are_optimal_and_end_in_the_exact_ones(ball):
    rng = np.random.default_rng(3)
    h, p = torch.from_numpy(rng.normal(size=25)), torch.from_numpy(rng.dirichlet(np.ones(25)))

    def objective(w: torch.Tensor, eps: float) -> float:
        return float(p @ (w * h + eps * torch.special.xlogy(w, w)))

    exact = weights(h, ball=ball, base=p)
    for eps in (1.0, 0.1):
        w = Proximal(p, ball)(h, eps).exp()
        assert float(p @ w) == approx(1, abs=1e-12)
        # A convex program: no feasible point near or far is better; the ball's points include the mixtures.
        for other in (exact, torch.ones_like(w)):
            for share in (1e-3, 0.1, 1.0):
                assert objective(w, eps) <= objective((1 - share) * w + share * other, eps) + 1e-12
    w = Proximal(p, ball)(h, 1e-5).exp()
    assert float(p @ (w * h)) == approx(float(robust_mean(h, ball=ball, base=p)), abs=1e-4)


def test_mixing_solves_a_linear_iteration_in_as_many_steps_as_it_has_dimensions():
    # Walker & Ni 2011: on a linear map Anderson mixing is GMRES.
    draw = torch.Generator().manual_seed(0)
    matrix = torch.randn(5, 5, generator=draw, dtype=torch.float64)
    matrix = 0.9 * (matrix + matrix.T) / (matrix + matrix.T).norm()
    matrix = matrix - matrix.mean(0)  # keeps the mean at zero, which the mixing takes out
    offset = torch.randn(5, generator=draw, dtype=torch.float64)
    offset -= offset.mean()
    exact = torch.linalg.solve(torch.eye(5, dtype=torch.float64) - matrix, offset)
    mixing, g = Mixing(8), torch.zeros(5, dtype=torch.float64)
    for _ in range(8):
        g = mixing.next(g, matrix @ g + offset)
    assert g.numpy() == approx(exact.numpy(), abs=1e-5)


def test_what_is_refused():
    x, y = clouds()
    problem = transport_problem(x, y, ball_x=BALLS[0], ball_y=BALLS[0], mass="free")
    with pytest.raises(UserError, match="ships all mass"):
        entropic(problem)
    with pytest.raises(UserError, match="tol is"):
        entropic(x, y, tol=0.0)
    with pytest.raises(UserError, match="epsilon is"):
        entropic(x, y, epsilon=-1)
    with pytest.raises(UserError, match="its own points"):
        entropic(transport_problem(x, y), ball=BALLS[0])
    with pytest.raises(UserError, match="'cpu' or 'cuda'"):
        entropic(x, y, device="meta")


@pytest.mark.filterwarnings("error")
def test_costs_may_be_zero_negative_and_read_only():
    cost = np.random.default_rng(0).normal(size=(6, 5))
    cost.setflags(write=False)
    found = entropic(cost=cost, rho=0.1)
    assert found.certified and abs(found.value - robust(cost=cost, rho=0.1).value) <= 1e-2 * abs(found.value)
    assert entropic(cost=np.zeros((3, 2)), rho=0.1).value == 0


def test_a_device_that_is_not_there_is_a_sentence():
    with pytest.raises(UserError, match="'foo'"):
        entropic(np.zeros((2, 1)), np.ones((2, 1)), rho=0.1, device="foo")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="has no CUDA"):
            entropic(np.zeros((2, 1)), np.ones((2, 1)), rho=0.1, device="cuda")
