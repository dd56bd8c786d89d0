"""One run: fit, keep a checkpoint after every epoch, give back the network with its mean weights."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from fer_batch.classifiers import ModelFile
from fer_batch.emotions import EMOTIONS, VIEWS
from fer_batch.errors import OutputError, UsageError
from fer_batch.faces import SIDE
from fer_batch.wholefile import replacing
from training import augment, network
from training.batches import Batches, Rows, even_size
from training.config import Config
from training.fer2013 import Split
from training.prediction import load
from training.teaching import Answers

RENORMALISING_STEPS = 75
"""Batches from which batch normalisation is estimated anew; with momentum .9 its running mean forgets in fifty."""

WATCHED = 100
"""Times, at most, that a run looks at its validation rows: a look costs as much as a short epoch."""


def fit(
    config: Config,
    training: Split,
    validation: Split,
    folder: Path,
    *,
    start: ModelFile | None = None,
    answers: Answers | None = None,
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
        answers: what teachers answer. If they are about lessons, these are learnt in the place of ``training``'s
            pictures and answers; otherwise beside the data set's own answers.

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
    claim(folder, config, training, start, answers)
    with _precision(config.precision):
        keras.utils.set_random_seed(config.seed)
        rows = _rows(training, config, answers)
        lessons = answers is not None and answers.pictures is not None
        batches = Batches(rows, config.batch_size, 0.0 if lessons else config.mixing, config.seed)
        model = _trainable(config, len(batches), placing=not lessons)
        if start is not None:
            _begin_with(model.get_layer("network"), start)
        checkpoint = Checkpoint(folder, config.epochs)
        batches.begin(behind := checkpoint.restore(model))
        model.fit(
            batches,
            initial_epoch=behind,
            epochs=config.epochs,
            validation_data=(validation.images, _targets(validation), _weights(validation)),
            validation_batch_size=even_size(len(validation)),
            validation_freq=math.ceil(config.epochs / WATCHED),
            callbacks=[checkpoint, keras.callbacks.CSVLogger(folder / "log.csv", append=True)],
            verbose=2,
        )
        if start is not None:
            _blend(model.get_layer("network"), start, config.kept)
        _renormalise(model, rows.pictures[0], config)
    return model.get_layer("network")


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Everything that training needs to go on, in one file, which is replaced as a whole.

    It is written after the last epoch, and after any other unless that would take more than PART_OF_TIME.
    """

    PART_OF_TIME = 0.05
    """What writing may add to the time of a run."""

    def __init__(self, folder: Path, epochs: int) -> None:
        super().__init__()
        self.folder, self.epochs = folder, epochs
        self.path = folder / "checkpoint.json"
        self.slot = 0
        """Which of two files is written next."""
        self.due = 0.0
        """When, by the clock of :func:`time.monotonic`."""

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
            self.slot = 1 - int(state["weights"].removeprefix("checkpoint-")[0])
            return int(state["epochs"])
        except (KeyError, ValueError, OSError) as error:
            raise UsageError(
                f"The checkpoint in {self.folder} cannot be read ({error}); remove the folder to begin anew."
            ) from error

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002 # Keras passes it
        """Write the state if it is time; the small file that names it is replaced last: a cut leaves the one before."""
        started = time.monotonic()
        if started < self.due and epoch + 1 < self.epochs:
            return
        weights = f"checkpoint-{self.slot}.weights.h5"
        try:
            self.model.save_weights(self.folder / weights)
        except OSError as error:
            raise OutputError(f"Cannot write the checkpoint into {self.folder}: {error.strerror or error}.") from error
        with replacing(self.path) as file:
            json.dump({"epochs": epoch + 1, "weights": weights}, file)
        self.slot, ended = 1 - self.slot, time.monotonic()
        self.due = ended + (ended - started) / self.PART_OF_TIME


def claim(
    folder: Path,
    config: Config,
    training: Split,
    start: ModelFile | None = None,
    answers: Answers | None = None,
) -> None:
    """Write into ``folder`` what its run is.

    Raises:
        UsageError: it holds a run of another configuration, other rows or other models.
        OutputError: it cannot be written to.
    """
    claims = {
        "config": asdict(config),
        "data": {"rows": len(training), "sha256": training.sha256},
        "models": {"start": start and start.sha256, "answers": answers and answers.sha256},
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


def _trainable(config: Config, steps_per_epoch: int, *, placing: bool = True) -> keras.Model:
    """Augmentation and network in one compiled model; without the first part of augmentation if not ``placing``."""
    faces = keras.Input((SIDE, SIDE), name="faces")
    placed = augment.placement(config)(faces) if placing else faces
    logits = network.build(config)(augment.degradation(config)(placed))
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
    losses = {view: keras.losses.CategoricalCrossentropy(from_logits=True) for view in VIEWS}
    model.compile(
        optimizer,
        losses,
        weighted_metrics={view: ["accuracy"] for view in losses},
        # JAX computes step by step what it does not compile; TensorFlow's XLA is slower on CPUs than what it replaces.
        jit_compile=keras.backend.backend() == "jax",
    )
    return model


def _renormalise(model: keras.Model, pictures: np.ndarray, config: Config) -> None:
    """Estimate the statistics of batch normalisation anew, for the mean weights that fit leaves in place.

    Those kept while training belong to the raw weights (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
    """
    order = np.resize(
        np.random.default_rng(config.seed).permutation(len(pictures)), (RENORMALISING_STEPS, config.batch_size)
    )
    _, *parts = model.layers  # the first is the input
    for chosen in order:
        x = pictures[chosen]
        for part in parts:
            x = part(x, training=True)


def _rows(split: Split, config: Config, answers: Answers | None) -> Rows:
    """What is learnt: lessons; or the data set's answers, smoothed, and the teachers' beside them."""
    taught = {}
    if answers is not None:
        taught = dict(zip(VIEWS, np.moveaxis(answers.shares.astype(np.float32), 2, 0), strict=True))
        if answers.pictures is not None:
            return Rows(answers.pictures, taught, {view: np.ones(len(split), np.float32) for view in VIEWS})
    targets, weights = _targets(split, config.label_smoothing, config.vote_smoothing), _weights(split)
    if taught:
        own = {view: (1 - config.imitation) * weights[view] for view in VIEWS}
        weights = {view: own[view] + config.imitation for view in VIEWS}
        targets = {
            view: (own[view][:, np.newaxis] * targets[view] + config.imitation * taught[view][0])
            / weights[view][:, np.newaxis]
            for view in VIEWS
        }
    return Rows(split.images[np.newaxis], {view: targets[view][np.newaxis] for view in VIEWS}, weights)


def _targets(split: Split, label_smoothing: float = 0.0, vote_smoothing: float = 0.0) -> dict[str, np.ndarray]:
    """Shares to learn, (N, 7) for each view."""
    smoothing = vote_smoothing * split.has_shares[:, np.newaxis].astype(np.float32)
    labels = np.eye(len(EMOTIONS), dtype=np.float32)[split.labels]
    labels = (1 - smoothing) * labels + smoothing * split.shares
    return {"fer2013": (1 - label_smoothing) * labels + label_smoothing / len(EMOTIONS), "ferplus": split.shares}


def _weights(split: Split) -> dict[str, np.ndarray]:
    """A row counts for a head only where it has an answer to that head's question."""
    return {"fer2013": np.ones(len(split), np.float32), "ferplus": split.has_shares.astype(np.float32)}
