"""Every setting of a training run, in a frozen value that the model file carries with it."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fer_batch.errors import UsageError


@dataclass(frozen=True)
class Config:
    """The recipe of the shipped model; sources of the values stand beside them."""

    seed: int = 0
    epochs: int = 100
    batch_size: int = 128

    # Network: a plain residual net (He et al. 2016, arXiv:1512.03385).
    stem_filters: int = 16
    stage_filters: tuple[int, ...] = (32, 64, 128)
    """Filters of each stage; every stage halves the side of the image."""
    stage_blocks: tuple[int, ...] = (2, 2, 2)
    """Residual blocks of each stage."""
    squeeze: int = 0
    """Reduction of squeeze and excitation, which weights channels (Hu et al. 2018, arXiv:1709.01507); 0: without."""
    dropout: float = 0.3

    # Optimisation: SGD with Nesterov momentum, cosine decay to zero after a linear warm-up.
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-3
    """Decoupled, times the learning rate; with momentum .9 it acts like an L2 penalty's 5e-4. Kernels only."""
    warmup_epochs: float = 1.0
    ema_momentum: float = 0.999
    """Decay per step of the running mean of the weights, which is what is evaluated and shipped."""
    kept: float = 0.0
    """Part of the final weights that is taken from the model with which the run began, if there was one (Wortsman et
    al. 2022, arXiv:2109.01903): less of what that model knew is lost."""
    label_smoothing: float = 0.1
    """On FER2013's labels (Szegedy et al. 2016, arXiv:1512.00567); FER+ shares are soft already."""
    vote_smoothing: float = 0.0
    """Part of the target of FER2013's head that is FER+'s shares instead of the label, where there are votes."""

    # Augmentation: first of place (each value is half of its range), then of quality.
    rotation_degrees: float = 15.0
    translation: float = 0.08
    """Share of the side."""
    scale: float = 0.15
    erasing: float = 0.5
    """Highest probability of erasing a rectangle (Zhong et al. 2020, arXiv:1708.04896)."""
    softness: float = 0.3
    """Probability of a blur, or of an enlarged face of fewer pixels."""
    darkness: float = 0.3
    """Probability of a dark image, with a sensor's noise."""
    compression: float = 0.3
    """Probability of compression by JPEG."""

    # Distillation (Hinton et al. 2015, arXiv:1503.02531), where there are teachers.
    imitation: float = 0.5
    """Part of the loss that is about the teachers' shares; the rest is about the data set's answers."""

    precision: str = "mixed_bfloat16"
    """Keras' dtype policy while training; the exported model computes in float32."""


def from_facts(facts: Mapping[str, Any]) -> Config:
    """The configuration that a model file names; settings that came later have their defaults."""
    known: dict[str, Any] = {name: facts[name] for name in asdict(Config()) if name in facts}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return replace(Config(), **known)


def with_settings(config: Config, settings: Iterable[str]) -> Config:
    """``config``, changed by settings of the form ``name=value``; lists are written ``32,64,128``.

    Raises:
        UsageError: there is no setting of the name, or the value is not of its type.
    """
    values = asdict(config)
    changes: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in values:
            raise UsageError(f"There is no setting {name!r}; there are {', '.join(values)}.")
        changes[name] = _parse(text, values[name], setting)
    return replace(config, **changes)


def _parse(text: str, before: Any, setting: str) -> Any:
    """``text`` as a value of the type of ``before``."""
    if isinstance(before, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if isinstance(before, tuple) and isinstance(value, int):
        value = (value,)
    if isinstance(before, float) and type(value) is int:
        value = float(value)
    integers = not isinstance(value, tuple) or all(type(entry) is int for entry in value)
    if type(value) is not type(before) or not integers:
        raise UsageError(f"{setting!r} is not understood: the value must look like {before!r}.")
    return value
