"""What every probe is called and says. Standard library only: reports and diagnoses read it from here."""

__all__ = ["PROBES", "describe"]

PROBES: dict[str, str] = {
    "weights/finite": "1 where all weights are finite numbers; 0 else, and then nothing more is told.",
    "objective/<player>": "The player's objective with its penalties, on the fixed batch.",
    "gradient_norm/<player>": "Norm of the player's gradient on the fixed batch, penalties included.",
    "gradient_norm/<layer>": "The part of one layer in it.",
    "update_ratio/<player>": "Norm of one training step's change of the weights, over the norm of the weights.",
    "update_ratio/<layer>": "The same of one layer.",
    "sigma_max/<layer>": "Largest singular value of the layer's matrix, as it computes (after spectral norm).",
    "sigma_min/<layer>": "Smallest singular value of the layer's matrix, as it computes.",
    "accuracy/train": "Balanced accuracy of the discriminator, training images against generated ones.",
    "accuracy/test": "Balanced accuracy of the discriminator, held-out images against generated ones.",
    "accuracy/fake": "Share of generated images that the discriminator rejects.",
    "ranking/train": "Probability that a training image has a larger logit than a generated one.",
    "ranking/test": "Probability that a held-out image has a larger logit than a generated one.",
    "margin/train": "Mean logit of training images.",
    "margin/test": "Mean logit of held-out images.",
    "margin/fake": "Mean logit of generated images.",
    "input_gradient/real": "Mean norm of the logit's gradient with respect to the image, at training images.",
    "input_gradient/fake": "The same at generated images: the signal that the generator learns from.",
    "input_gradient/interpolate": "The same at random points between training and generated images.",
    "dead/<layer>": "Share of ReLU units behind the layer that are 0 on a whole batch.",
    "saturated/<layer>": "Share of leaky ReLU units behind the layer that are negative on a whole batch.",
    "saturated/output": "Share of generated pixels beyond 0.999 in size.",
    "diversity/pixels": "Root mean square distance of two generated images, over that of two training images.",
    "coverage/classes": "Share of the classes that some generated image is classified as.",
    "histogram/<class>": "Share of generated images that are classified as this class.",
    "histogram/distance": "Total variation between those shares and the training labels' shares.",
    "ema_distance": "Distance of the generator's weights to their moving average, over the weights' norm.",
    "data/mean": "Mean of the scaled training pixels.",
    "data/std": "Standard deviation of the scaled training pixels.",
    "data/min": "Smallest scaled training pixel.",
    "data/max": "Largest scaled training pixel.",
    "jacobian/sigma_max": "Largest singular value of the generator's Jacobian, mean over latents.",
    "jacobian/sigma_min": "Smallest singular value of the generator's Jacobian, mean over latents.",
    "jacobian/effective_rank": "Effective rank of the generator's Jacobian, mean over latents.",
    "jacobian/condition": "Largest over smallest singular value of the generator's Jacobian, geometric mean over latents.",
    "spectrum/max_real": "Largest real part among the Ritz values of the game's Jacobian; below 0 attracts.",
    "spectrum/radius": "Largest modulus among the Ritz values of the game's Jacobian.",
    "spectrum/imaginary_share": "Share of the squared imaginary parts in the squared moduli; 0 a minimisation, 1 pure rotation.",
    "spectrum/rotation": "Imaginary over real part, in size, of the Ritz value of largest modulus.",
    "spectrum/residual": "Residual of that Ritz value, relative: how far to trust it.",
    "path/switch": "Sign switch of the path angle from the first weights: 1 attraction, -1 repulsion.",
    "path/bump": "Bump of the path angle from the first weights: rotation.",
    "raw/<metric>/<split>": "The score of the weights themselves, where the scores are of their moving average.",
}
"Pattern of a name, and what it says. `<player>` is generator or discriminator, `<layer>` a layer's full name."


def describe(name: str) -> str:
    """The sentence about the probe `name`, or an empty one for an unknown name."""
    if name in PROBES:
        return PROBES[name]
    family, _, rest = name.partition("/")
    player = rest in ("generator", "discriminator")
    for kind in ("<player>",) if player else ("<layer>", "<class>", "<metric>/<split>"):
        if f"{family}/{kind}" in PROBES:
            return PROBES[f"{family}/{kind}"]
    return ""
