"""One run: fit, keep a checkpoint after every epoch, give back the network with its mean weights."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from fer_batch.classifiers.model_file import ModelFile
from fer_batch.detection.crop import CROP_SIDE
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import OutputError, UsageError
from fer_batch.output.files import replacing
from training import augment, network
from training.config import Config
from training.fer2013 import Split
from training.prediction import load

RENORMALISING_STEPS = 150
"""Batches from which batch normalisation is estimated anew; with momentum .9 its running mean forgets in fifty."""

BETWEEN_LIGHT_AND_LOGITS = (layers.Conv2D, layers.BatchNormalization, layers.Activation, layers.ReLU, layers.Add)
"""Layers of which nearly all of a network's work is made, and which bear a lower precision."""


def fit(
    config: Config,
    training: Split,
    validation: Split,
    folder: Path,
    *,
    start: ModelFile | None = None,
    teachers: Sequence[ModelFile] = (),
) -> keras.Model:
    """Train a network and return it, weights averaged; ``folder`` holds the checkpoint and a log.

    May be cut at any moment: called again with the same configuration, rows, models and folder it goes on after the
    last finished epoch. ``validation`` is only watched, with the weights of the moment and not their mean.

    Args:
        config: every setting.
        training: rows to learn.
        validation: rows to watch.
        folder: the run's.
        start: a trained model whose weights are the first; new ones are drawn without.
        teachers: trained models whose mean shares are learnt beside the data set's answers. They see every face in the
            place where the network sees it, but not spoilt, and so teach that quality does not matter.

    Raises:
        UsageError: there are no FER+ votes to learn from, or ``start`` is of another shape than ``config`` says, or
            ``folder`` holds a damaged checkpoint, or one of another configuration, other rows or other models.
        OutputError: ``folder`` cannot be written to.
    """
    if not training.has_shares.any():
        raise UsageError(
            "The training rows have no FER+ votes, and the model must learn to answer as FER+'s raters too: put "
            "fer2013new.csv beside fer2013.csv."
        )
    claim(folder, config, training, start, teachers)
    with _precision(config.precision):
        keras.utils.set_random_seed(config.seed)
        taught_by = [_in(config.precision, file) for file in teachers]
        model = _trainable(config, -(-len(training) // config.batch_size), taught_by)
        if start is not None:
            _begin_with(model.get_layer("network"), start)
        checkpoint = Checkpoint(folder)
        model.fit(
            training.images,
            _targets(training, config.vote_smoothing),
            sample_weight=_weights(training),
            batch_size=config.batch_size,
            initial_epoch=checkpoint.restore(model),
            epochs=config.epochs,
            validation_data=(validation.images, _targets(validation, 0.0), _weights(validation)),
            validation_batch_size=512,
            callbacks=[checkpoint, keras.callbacks.CSVLogger(folder / "log.csv", append=True)],
            verbose=2,
        )
        if start is not None:
            _blend(model.get_layer("network"), start, config.kept)
        _renormalise(model, training, config)
    return model.get_layer("network")


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Everything that training needs to go on, written after each epoch to one file, which is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.path = folder / "checkpoint.json"

    def restore(self, model: keras.Model) -> int:
        """Load the newest state into a compiled model; the number of epochs that it has behind it.

        Raises:
            UsageError: the state is damaged.
        """
        if not self.path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            state = json.loads(self.path.read_text())
            model.load_weights(self.folder / state["weights"])
            return int(state["epochs"])
        except (KeyError, ValueError, OSError) as error:
            raise UsageError(
                f"The checkpoint in {self.folder} cannot be read ({error}); remove the folder to begin anew."
            ) from error

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 # Keras passes it
        """Write the state; the small file that names it is replaced last, so a cut leaves the one before."""
        weights = f"checkpoint-{epoch % 2}.weights.h5"
        try:
            self.model.save_weights(self.folder / weights)
        except OSError as error:
            raise OutputError(f"Cannot write the checkpoint into {self.folder}: {error.strerror or error}.") from error
        with replacing(self.path) as file:
            json.dump({"epochs": epoch + 1, "weights": weights}, file)


class Imitation(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Passes the network's logits on, and adds to the loss how far they are from the teachers' shares.

    Args:
        weight: what the cross entropy, averaged over the faces and summed over the views, is multiplied by.
    """

    def __init__(self, weight: float, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.weight = weight

    def call(
        self, logits: dict[str, keras.KerasTensor], taught: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """``{view: (N, 7)}`` logits, and shares to imitate."""
        for view in VIEWS:
            entropy = keras.ops.categorical_crossentropy(taught[view], logits[view], from_logits=True)
            self.add_loss(self.weight * keras.ops.mean(entropy))
        return logits


def claim(
    folder: Path,
    config: Config,
    training: Split,
    start: ModelFile | None = None,
    teachers: Sequence[ModelFile] = (),
) -> None:
    """Write into ``folder`` what its run is.

    Raises:
        UsageError: it holds a run of another configuration, other rows or other models.
        OutputError: it cannot be written to.
    """
    claims = {
        "config": asdict(config),
        "data": {"rows": len(training), "sha256": training.sha256},
        "models": {"start": start and start.sha256, "teachers": [teacher.sha256 for teacher in teachers]},
    }
    for name, content in claims.items():
        path = folder / f"{name}.json"
        text = json.dumps(content, indent=2)
        if path.exists() and path.read_text() != text:
            raise UsageError(
                f"{folder} holds a run with another {path.name}; choose another folder, or remove it to begin anew."
            )
        with replacing(path) as file:
            file.write(text)


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Layers made inside compute as Keras' dtype policy of that name says; it is global, so it is put back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _in(policy: str, file: ModelFile) -> keras.Model:
    """A trained model whose convolutions, and what lies between them, compute as Keras' dtype policy ``policy``."""

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if isinstance(layer, BETWEEN_LIGHT_AND_LOGITS):
            config["dtype"] = policy
        return type(layer).from_config(config)

    model = load(file.path)
    copied = keras.models.clone_model(model, clone_function=copy)
    copied.set_weights(model.get_weights())
    return copied


def _begin_with(net: keras.Model, start: ModelFile) -> None:
    """Give ``net`` the weights of a trained model of its shape."""
    try:
        net.set_weights(load(start.path).get_weights())
    except ValueError as error:
        raise UsageError(
            f"{start.path.name} cannot be gone on with: its network is not of the shape that the configuration says."
        ) from error


def _blend(net: keras.Model, start: ModelFile, kept: float) -> None:
    """Move every weight of ``net`` towards that of ``start``, by the part ``kept`` of the way."""
    before = load(start.path).get_weights()
    net.set_weights([(1 - kept) * new + kept * old for new, old in zip(net.get_weights(), before, strict=True)])


def _trainable(config: Config, steps_per_epoch: int, teachers: Sequence[keras.Model] = ()) -> keras.Model:
    """Augmentation and network, beside the teachers, in one compiled model."""
    faces = keras.Input((CROP_SIDE, CROP_SIDE), name="faces")
    placed = augment.placement(config)(faces)
    logits = network.build(config)(augment.degradation(config)(placed))
    imitation = config.imitation if teachers else 0.0
    if teachers:
        for number, teacher in enumerate(teachers):
            teacher.trainable, teacher.name = False, f"teacher{number}"
        answers = [teacher(placed, training=False) for teacher in teachers]
        taught = {view: sum(answer[view] for answer in answers) / len(answers) for view in VIEWS}
        logits = Imitation(imitation, name="imitation")(logits, taught)
    model = keras.Model(faces, logits)
    steps, warmup = config.epochs * steps_per_epoch, int(config.warmup_epochs * steps_per_epoch)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=config.learning_rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.SGD(
        schedule,
        momentum=config.momentum,
        nesterov=True,
        weight_decay=config.weight_decay,
        use_ema=True,
        ema_momentum=config.ema_momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    losses = {
        "fer2013": keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing),
        "ferplus": keras.losses.CategoricalCrossentropy(from_logits=True),
    }
    model.compile(
        optimizer,
        losses,
        loss_weights=dict.fromkeys(losses, 1 - imitation),
        weighted_metrics={view: ["accuracy"] for view in losses},
        jit_compile=False,
    )
    return model


def _renormalise(model: keras.Model, training: Split, config: Config) -> None:
    """Estimate the statistics of batch normalisation anew, for the mean weights that fit leaves in place.

    Those kept while training belong to the raw weights (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
    """
    order = np.random.default_rng(config.seed).permutation(len(training))
    batches = [order[at : at + config.batch_size] for at in range(0, len(order), config.batch_size)]
    spoilt = [model.get_layer(name) for name in ("placement", "degradation", "network")]
    for step in range(RENORMALISING_STEPS):
        x = training.images[batches[step % len(batches)]]
        for part in spoilt:
            x = part(x, training=True)


def _targets(split: Split, vote_smoothing: float) -> dict[str, np.ndarray]:
    """Shares to learn, (N, 7) for each view."""
    smoothing = vote_smoothing * split.has_shares[:, np.newaxis].astype(np.float32)
    labels = np.eye(len(EMOTIONS), dtype=np.float32)[split.labels]
    return {"fer2013": (1 - smoothing) * labels + smoothing * split.shares, "ferplus": split.shares}


def _weights(split: Split) -> dict[str, np.ndarray]:
    """A row counts for a head only where it has an answer to that head's question."""
    return {"fer2013": np.ones(len(split), np.float32), "ferplus": split.has_shares.astype(np.float32)}
