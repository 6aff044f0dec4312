"""What the study `robust-transport` holds to its measurements."""

from saddle.core import Band, Claim, Measured
from saddle.studies.robust_transport.config import RobustTransportConfig
from saddle.studies.robust_transport.limit_claims import limit_claims
from saddle.studies.robust_transport.ranking_claims import ranking_claims
from saddle.studies.robust_transport.reading import Results
from saddle.studies.robust_transport.theorem_claims import theorem_claims

__all__ = ["claims"]


def claims(config: RobustTransportConfig, results: Results) -> list[Claim]:
    return [
        _certified(results),
        *theorem_claims(config, results),
        *limit_claims(config, results),
        *ranking_claims(config, results),
    ]


def _certified(results: Results) -> Claim:
    rows = [result.numbers for name, result in results.items() if "uncertified" in result.numbers]
    problems = [each for result in results.values() for each in result.numbers.get("certified", ())]
    missed = sum(row["uncertified"] for row in rows) + sum(not each for each in problems)
    return Claim(
        statement="Robust problems of this study whose value the solver did not certify to its tolerance: none.",
        source="Docs, robust transport: the certificate",
        certainty="derived",
        predicted=Band(0, 0),
        measured=Measured.exact(missed, sum(row["solved"] for row in rows) + len(problems)),
        note="A value that is not certified carries its status, and its bounds still hold." if missed else "",
    )
