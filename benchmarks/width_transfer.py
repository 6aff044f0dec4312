"""The study `width-transfer` with settings of one's own: other images, architectures, widths, steps or seeds.

    python benchmarks/width_transfer.py OUT RESULT.json archs='("mlp",)' seeds=6 data='"../shared/data/cifar10.npz"' resize=16

Every `name=value` is a field of `WidthTransferConfig` with a Python literal. Writes the study's page under OUT (the same
command goes on where it was stopped), and claims, best steps and coordinate slopes as one JSON file.
"""

import ast
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from saddle.cli.finish_study import finish_study
from saddle.runs import environment
from saddle.studies.carry_out import Finished, Request, run_study
from saddle.studies.study import find_study
from saddle.studies.width_transfer.best import transfer
from saddle.studies.width_transfer.claims import coordinates_of
from saddle.studies.width_transfer.config import PARAMETERISATIONS, WidthTransferConfig


def main(out: str, result: str, *words: str) -> int:
    options = {name: ast.literal_eval(value) for name, _, value in (word.partition("=") for word in words)}
    config = WidthTransferConfig(**options)
    began = time.time()
    run = run_study(Request(study=find_study("width-transfer"), config=config, out=Path(out)))
    code = finish_study(run, Path(out))
    if run.finished is not None:
        found = _numbers(run.finished, config)
        found["command"] = " ".join(["python benchmarks/width_transfer.py", out, result, *words])
        found["wall_seconds"] = round(time.time() - began, 1)
        found["environment"] = environment()
        Path(result).write_text(json.dumps(found, indent=1) + "\n")
    return code


def _numbers(finished: Finished, config: WidthTransferConfig) -> dict[str, object]:
    best, slopes = [], []
    for arch in config.archs:
        for name in PARAMETERISATIONS:
            found = transfer(config, finished.results, arch, name)
            check = coordinates_of(config, finished.results, arch, name)
            best.append(
                {
                    "arch": arch,
                    "parameterisation": name,
                    "widths": found.widths,
                    "log2_best_step_by_width_and_seed": found.best.round(3).tolist(),
                    "mean_log2_distance_by_width_and_step": found.levels.mean(axis=2).round(3).tolist(),
                    "runs_diverged": found.diverged,
                    "best_at_ends_of_grid": found.at_ends,
                }
            )
            t = config.check_steps
            slopes.append(
                {
                    "arch": arch,
                    "parameterisation": name,
                    "slope_of_change_by_layer_and_seed": {
                        layer: check.slope(layer, t).round(3).tolist() for layer in check.layers
                    },
                }
            )
    claims = [claim.to_json() for claim in finished.claims]
    return {
        "study": "width-transfer",
        "settings": asdict(config),
        "claims": claims,
        "best": best,
        "check": slopes,
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
