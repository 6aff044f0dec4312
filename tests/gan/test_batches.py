"""Minibatch streams: epochs, independence of members, and going on where one stood."""

import torch

from saddle.gan.batches import GanBatches


def numbered(n: int = 10) -> torch.Tensor:
    """Image i is filled with the value i."""
    return torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 1, 8, 8).contiguous()


def which(real: torch.Tensor) -> torch.Tensor:
    """Undo x/127.5 - 1."""
    return ((real[..., 0, 0, 0] + 1) * 127.5).round().long()


def test_an_epoch_shows_every_image_once():
    batches = GanBatches(numbered(), seeds=[0, 1], batch=5, latent=3)
    for _ in range(3):
        seen = torch.cat([which(next(batches).real), which(next(batches).real)], dim=1)
        assert seen.sort(1).values.tolist() == [list(range(10))] * 2


def test_a_member_draws_the_same_alone_and_in_company():
    together = GanBatches(numbered(), seeds=[5, 3], batch=4, latent=3)
    alone = GanBatches(numbered(), seeds=[3], batch=4, latent=3)
    for _ in range(7):
        many, one = next(together), next(alone)
        assert torch.equal(many.real[1:], one.real)
        assert torch.equal(many.latent[1:], one.latent)
        assert torch.equal(many.uniform()[1:], one.uniform())


def test_seeds_differ():
    batch = next(GanBatches(numbered(), seeds=[0, 1], batch=4, latent=3))
    assert not torch.equal(batch.latent[0], batch.latent[1])


def test_what_is_not_used_is_not_drawn():
    # A generator's step reads no images: the image stream must stand where it stood.
    used = GanBatches(numbered(), seeds=[0], batch=4, latent=3)
    other = GanBatches(numbered(), seeds=[0], batch=4, latent=3)
    _ = next(used).latent
    assert torch.equal(next(used).real, next(other).real)


def test_load_goes_on_where_member_state_stood():
    batches = GanBatches(numbered(), seeds=[0, 1], batch=4, latent=3)
    for step in range(5):
        for _ in range(step):
            batch = next(batches)
            _ = batch.real, batch.latent
        again = GanBatches(numbered(), seeds=[7, 8], batch=4, latent=3)
        again.load([batches.member_state(0), batches.member_state(1)], step)
        clone = GanBatches(numbered(), seeds=[9], batch=4, latent=3)
        clone.load([batches.member_state(1)], step)
        ahead, expected, single = next(again), next(batches), next(clone)
        assert again.step == step
        assert torch.equal(ahead.real, expected.real)
        assert torch.equal(ahead.latent, expected.latent)
        assert torch.equal(single.real, expected.real[1:])
