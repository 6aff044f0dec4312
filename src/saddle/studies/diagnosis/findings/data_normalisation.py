"""Wrong normalisation of data: pixels that do not use the range that they are scaled from.

Saddle takes bytes as 0 to 255 and scales them to [−1, 1]. It refuses floats outside [0, 1] and [−1, 1], and bytes of 0 and
1 only; what it cannot know is whether images within the range are as they should be.
"""

import math

from saddle.studies.diagnosis.evidence import Evidence
from saddle.studies.diagnosis.finding import Finding
from saddle.studies.diagnosis.look import Look, percent, short

__all__ = ["judge"]

LOOK = Look("data-normalisation", "Wrong normalisation of data")
RANGE = 0.4
"""Share of 0 to 255 between the darkest and the brightest 0.1 % of pixels. Digits, MNIST and CIFAR-10 use all of it;
images divided by 10 use 0.1, and floats stored in a tenth of their range as well."""
VARIATION = 0.02
"Standard deviation of a pixel over images, of the range (5 grey levels): below it the images hardly differ."
CONSTANT = 0.05
"Share of images of one grey level: failed downloads and blank pages."
ONE_END = 0.97
"Share of pixels at one end of the range. Digits have 0.49, MNIST 0.8."
LEVELS = 3
"Grey levels; fewer are a mask, and a GAN's outputs cannot be of two levels."
DISTINCT = 0.5
"Share of images that are no repeat of another."


def judge(evidence: Evidence) -> Finding:
    """What the training images' pixels are."""
    names = ("range", "mean", "std", "variation", "constant", "dark", "bright", "levels", "distinct")
    value = {name: evidence.last(f"pixels/{name}") for name in names}
    if not math.isfinite(value["range"]):
        return LOOK.undecided(f"the training images are not there ({evidence.why_missing('pixels/range')})")
    numbers = {f"pixels/{name}": number for name, number in value.items()}
    again = "the runs of the old images stay as they are, and new ones get folders of their own"
    for name, wrong, threshold, sentence, advice in (
        (
            "constant",
            value["constant"] > CONSTANT,
            CONSTANT,
            f"{percent(value['constant'])} of the images are of a single grey level.",
            "Remove them: they are blank pages or failed downloads.",
        ),
        (
            "variation",
            value["variation"] < VARIATION,
            VARIATION,
            f"A pixel varies by {percent(value['variation'])} of the range from image to image: the images hardly differ.",
            "Check that the images are what they should be, and stretch them to 0..255.",
        ),
        (
            "range",
            value["range"] < RANGE,
            RANGE,
            f"The images use {percent(value['range'])} of the grey levels, and the generator's outputs span all of them.",
            "Rescale the images so that they use 0 to 255 (or floats, all of 0 to 1 or -1 to 1), and train again: "
            + again
            + ".",
        ),
        (
            "dark",
            value["dark"] > ONE_END,
            ONE_END,
            f"{percent(value['dark'])} of the pixels are black.",
            "Check that the images are not cut off or divided twice; crop what is empty.",
        ),
        (
            "bright",
            value["bright"] > ONE_END,
            ONE_END,
            f"{percent(value['bright'])} of the pixels are white.",
            "Check that the images are not cut off or multiplied twice; crop what is empty.",
        ),
        (
            "levels",
            value["levels"] < LEVELS,
            LEVELS,
            f"The images have {short(value['levels'])} grey levels: they are masks.",
            "A discriminator tells masks from tanh outputs at once: give grey images, or blur the masks a little.",
        ),
        (
            "distinct",
            value["distinct"] < DISTINCT,
            DISTINCT,
            f"{percent(1 - value['distinct'])} of the images repeat another one.",
            "Remove the repeats: the training and the test images share them, so test scores mean nothing.",
        ),
    ):
        if wrong:
            return LOOK.serious(sentence, numbers | {f"pixels/{name}: threshold": threshold}, advice)
    return LOOK.fine(
        f"The images use {percent(value['range'])} of the grey levels, with mean {short(value['mean'])} and standard "
        f"deviation {short(value['std'])} of the range; {percent(value['constant'])} are of one grey level.",
        numbers | {"pixels/range: threshold": RANGE},
    )
