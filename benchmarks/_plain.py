"""The rival: DCGAN and SNGAN-style ResNet, and their training, as a straightforward PyTorch project writes them."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import spectral_norm


def dcgan(
    width: int, size: int, channels: int, latent: int, *, norm_d: bool = True
) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator with Saddle's layers; N(0, 0.02) weights where batch norm follows."""
    base, wide = size // 8, 8 * width
    up: list[nn.Module] = [
        nn.ConvTranspose2d(latent, wide, base, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU(),
    ]
    down: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
    for scale in (4, 2, 1):
        inner = scale * width
        up += [nn.ConvTranspose2d(2 * inner, inner, 4, 2, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()]
    for scale in (2, 4, 8):
        outer = scale * width
        down.append(nn.Conv2d(outer // 2, outer, 4, 2, 1, bias=not norm_d))
        if norm_d:
            down.append(nn.BatchNorm2d(outer))
        down.append(nn.LeakyReLU(0.2))
    generator = nn.Sequential(
        nn.Unflatten(1, (latent, 1, 1)), *up, nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()
    )
    discriminator = nn.Sequential(*down, nn.Conv2d(wide, 1, base), nn.Flatten(0))
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
    return generator, discriminator


class UpBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        body = functional.interpolate(functional.relu(self.norm1(x)), scale_factor=2)
        body = self.conv2(functional.relu(self.norm2(self.conv1(body))))
        return body + self.shortcut(functional.interpolate(x, scale_factor=2))


class DownBlock(nn.Module):
    def __init__(self, inputs: int, width: int, *, first: bool = False, down: bool = True) -> None:
        super().__init__()
        self.first, self.down = first, down
        self.conv1 = spectral_norm(nn.Conv2d(inputs, width, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, width, 1, bias=False)) if down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        body = self.conv2(functional.relu(self.conv1(x if self.first else functional.relu(x))))
        if not self.down:
            return body + x
        if self.first:
            return functional.avg_pool2d(body, 2) + self.shortcut(functional.avg_pool2d(x, 2))
        return functional.avg_pool2d(body, 2) + functional.avg_pool2d(self.shortcut(x), 2)


class SumPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x).sum((2, 3))


def resnet(width: int, size: int, channels: int, latent: int) -> tuple[nn.Module, nn.Module]:
    """SNGAN's CIFAR networks: spectral norm in the discriminator."""
    base = size // 8
    generator = nn.Sequential(
        nn.Linear(latent, width * base**2),
        nn.Unflatten(1, (width, base, base)),
        *(UpBlock(width) for _ in range(3)),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, channels, 3, padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        DownBlock(channels, width, first=True),
        DownBlock(width, width),
        DownBlock(width, width, down=False),
        DownBlock(width, width, down=False),
        SumPool(),
        spectral_norm(nn.Linear(width, 1)),
        nn.Flatten(0),
    )
    return generator, discriminator


class PlainTrainer:
    """One generator step after `critic_steps` discriminator steps, written without care for wasted work."""

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        images: Tensor,
        *,
        batch: int,
        critic_steps: int,
        hinge: bool,
    ) -> None:
        self.generator, self.discriminator, self.images = generator, discriminator, images
        self.batch, self.critic_steps, self.hinge, self.latent = batch, critic_steps, hinge, 128
        self.optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.log: dict[str, float] = {}

    def step(self) -> None:
        for _ in range(self.critic_steps):
            self.optimizer_d.zero_grad()
            picked = torch.randint(0, len(self.images), (self.batch,))
            real = self.images[picked].float() / 127.5 - 1
            # The usual line: the generator's graph is built, then cut.
            fake = self.generator(torch.randn(self.batch, self.latent)).detach()
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
            loss = self._discriminator_loss(real_logits, fake_logits)
            loss.backward()
            self.optimizer_d.step()
            self.log["loss_d"] = loss.item()
            self.log["real"] = real_logits.mean().item()
            self.log["fake"] = fake_logits.mean().item()
        self.optimizer_g.zero_grad()
        fake_logits = self.discriminator(self.generator(torch.randn(self.batch, self.latent)))
        loss = -fake_logits.mean() if self.hinge else functional.softplus(-fake_logits).mean()
        loss.backward()
        self.optimizer_g.step()
        self.log["loss_g"] = loss.item()

    def _discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.hinge:
            return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()
