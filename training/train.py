"""Training of a network: a checkpoint after every epoch, and in the end the network with its mean weights."""

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
"""Batches on which batch normalisation is estimated anew: its running mean, of momentum .9, forgets in fifty."""

LOW_PRECISION_LAYERS = (layers.Conv2D, layers.BatchNormalization, layers.Activation, layers.ReLU, layers.Add)
"""Layers that do nearly all of a network's work, and whose answers hardly change in a lower precision."""


def fit_network(
    config: Config,
    training: Split,
    validation: Split,
    folder: Path,
    *,
    start: ModelFile | None = None,
    teachers: Sequence[ModelFile] = (),
) -> keras.Model:
    """Train a network and return it with the running mean of its weights; ``folder`` holds the checkpoint and a log.

    May be cut at any moment: called again with the same configuration, rows, models and folder it goes on after the
    last finished epoch.

    Args:
        config: every setting.
        training: the rows that are learnt.
        validation: rows that are only evaluated, for the log, with the current weights and not their mean.
        folder: the folder of the run.
        start: a trained model with whose weights the run begins; without, they are random.
        teachers: trained models whose mean shares are learnt beside the data set's labels and votes. They see every
            face where the network sees it, but in its full quality, and so teach that quality does not matter.

    Raises:
        UsageError: ``training`` has no FER+ votes, or ``start`` is not of the shape that ``config`` says, or
            ``folder`` holds a damaged checkpoint, or a run of another configuration, other rows or other models.
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
        teacher_models = [_load_teacher(file, config.precision) for file in teachers]
        model = _trainable(config, -(-len(training) // config.batch_size), teacher_models)
        if start is not None:
            _set_weights(model.get_layer("network"), start)
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
    """Writes after each epoch what training needs to go on: the weights, and a small file that names them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.path = folder / "checkpoint.json"

    def restore(self, model: keras.Model) -> int:
        """Load the last state into a compiled model; returns the number of epochs that are finished.

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
        """Write the state; the file that names the weights is replaced last, so that a cut leaves the state before."""
        weights = f"checkpoint-{epoch % 2}.weights.h5"
        try:
            self.model.save_weights(self.folder / weights)
        except OSError as error:
            raise OutputError(f"Cannot write the checkpoint into {self.folder}: {error.strerror or error}.") from error
        with replacing(self.path) as file:
            json.dump({"epochs": epoch + 1, "weights": weights}, file)


class Imitation(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Returns the network's logits, and adds to the loss how far they are from the teachers' shares.

    Args:
        weight: factor of the cross entropy, which is averaged over the faces and summed over the views.
    """

    def __init__(self, weight: float, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.weight = weight

    def call(
        self, logits: dict[str, keras.KerasTensor], taught: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """``logits`` and the teachers' shares ``taught``, both ``{view: (N, 7)}``; returns the logits."""
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
    """Write into ``folder`` what its run is: config.json, data.json and models.json.

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
    """Layers made inside compute by Keras's dtype policy of that name. It is global, so it is restored afterwards."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _load_teacher(file: ModelFile, policy: str) -> keras.Model:
    """A trained model whose LOW_PRECISION_LAYERS compute by Keras's dtype policy ``policy``."""

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if isinstance(layer, LOW_PRECISION_LAYERS):
            config["dtype"] = policy
        return type(layer).from_config(config)

    model = load(file.path)
    copied = keras.models.clone_model(model, clone_function=copy)
    copied.set_weights(model.get_weights())
    return copied


def _set_weights(model: keras.Model, start: ModelFile) -> None:
    """Set the weights of ``model`` to those of a trained model of its shape."""
    try:
        model.set_weights(load(start.path).get_weights())
    except ValueError as error:
        raise UsageError(
            f"A run cannot begin with {start.path.name}: its network is not of the shape that the configuration says."
        ) from error


def _blend(model: keras.Model, start: ModelFile, kept: float) -> None:
    """Replace every weight of ``model`` by its mean with that of ``start``, whose part in the mean is ``kept``."""
    pairs = zip(model.get_weights(), load(start.path).get_weights(), strict=True)
    model.set_weights([(1 - kept) * new + kept * old for new, old in pairs])


def _trainable(config: Config, steps_per_epoch: int, teachers: Sequence[keras.Model] = ()) -> keras.Model:
    """Augmentation, network and teachers in a compiled model: (N, 48, 48) grey levels to ``{view: (N, 7) logits}``."""
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
    """Estimate the statistics of batch normalisation anew, for the mean weights with which Keras's fit ends.

    Those gathered while training belong to the raw weights (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
    """
    order = np.random.default_rng(config.seed).permutation(len(training))
    batches = [order[first : first + config.batch_size] for first in range(0, len(order), config.batch_size)]
    parts = [model.get_layer(name) for name in ("placement", "degradation", "network")]
    for step in range(RENORMALISING_STEPS):
        x = training.images[batches[step % len(batches)]]
        for part in parts:
            x = part(x, training=True)


def _targets(split: Split, vote_smoothing: float) -> dict[str, np.ndarray]:
    """The shares to learn: ``{view: (N, 7)}`` float32."""
    smoothing = vote_smoothing * split.has_shares[:, np.newaxis].astype(np.float32)
    labels = np.eye(len(EMOTIONS), dtype=np.float32)[split.labels]
    return {"fer2013": (1 - smoothing) * labels + smoothing * split.shares, "ferplus": split.shares}


def _weights(split: Split) -> dict[str, np.ndarray]:
    """``{view: (N,)}`` float32: 1 where a row has a label, or votes, for that view's head; else 0."""
    return {"fer2013": np.ones(len(split), np.float32), "ferplus": split.has_shares.astype(np.float32)}
