"""Every setting of a training run, in one frozen value that the model file carries with it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """The recipe of the shipped model; sources of the values stand beside them."""

    seed: int = 0
    epochs: int = 100
    batch_size: int = 128

    # Network: a plain residual net (He et al. 2016, arXiv:1512.03385).
    stem_filters: int = 16
    stage_filters: tuple[int, ...] = (32, 64, 128)
    """Filters of each stage; every stage halves the side of the picture."""
    stage_blocks: tuple[int, ...] = (2, 2, 2)
    """Residual blocks of each stage."""
    squeeze: int = 0
    """Channels weighted by squeeze and excitation with this reduction (Hu et al. 2018, arXiv:1709.01507); 0: not."""
    dropout: float = 0.3

    # Optimisation: SGD with Nesterov momentum, cosine decay to zero after a linear warm-up.
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-3
    """Decoupled, times the learning rate; with momentum .9 it acts like an L2 penalty's 5e-4. Kernels only."""
    warmup_epochs: float = 1.0
    ema_momentum: float = 0.999
    """Decay a step of the running mean of the weights, which is what is evaluated and shipped."""
    label_smoothing: float = 0.1
    """On FER2013's labels (Szegedy et al. 2016, arXiv:1512.00567); FER+ shares are soft already."""
    vote_smoothing: float = 0.0
    """Part of the belief in FER2013's label that goes to FER+'s shares instead, where there are any."""

    # Augmentation, each a half-range unless said otherwise.
    rotation_degrees: float = 15.0
    translation: float = 0.08
    """Share of the side."""
    scale: float = 0.15
    contrast: float = 0.3
    brightness: float = 0.15
    """Share of the grey range."""
    erasing: float = 0.5
    """Highest probability of erasing a rectangle (Zhong et al. 2020, arXiv:1708.04896)."""
    blur: float = 0.0
    """Highest probability of a Gaussian blur of up to one pixel, as of a small or compressed face enlarged."""
    darkening: float = 0.0
    """Largest part of the light that is taken away; with noise of three grey levels, as a camera's in the dark."""

    precision: str = "mixed_bfloat16"
    """Keras' dtype policy while training; the exported model computes in float32."""
