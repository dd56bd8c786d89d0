"""A little more weight for rare emotions, which the network would otherwise hardly ever answer. Pure NumPy.

Logit adjustment after training (Menon et al. 2021, arXiv:2007.07314, section 4.1): the logarithm of each emotion's
frequency, times a strength, is subtracted from its logit. At strength 0 nothing changes, and accuracy is highest where
emotions are as frequent as in training; at 1 every emotion counts as if all were equally frequent. The strength with
the greatest macro recall is taken, of those that lower accuracy by no more than PRICE.
"""

import numpy as np

from fer_batch.emotions import EMOTIONS, VIEWS
from training.evaluate import Predict
from training.fer2013 import Split
from training.metrics import SMALLEST_SHARE, accuracy, confusion_matrix, macro_recall, one_hot

STRENGTHS = np.arange(0, 1.01, 0.05)
PRICE = 0.0
"""Part of the faces that may be answered wrong for it: none. With one in a thousand the shipped committee has a lower
score (:mod:`training.scoring`), by .15 points, and recognises 1.9 in 100 fewer of other people's neutral faces."""


def fit_biases(predict: Predict, split: Split) -> np.ndarray:
    """(2, 7): what to add to the logits behind ``predict``'s shares, for each of VIEWS; 0 where a view has no truth."""
    shares = predict(split.images).astype(np.float64)
    targets = {"fer2013": one_hot(split.labels), "ferplus": split.shares[split.has_shares]}
    truths = {"fer2013": split.labels, "ferplus": split.majority}
    biases = np.zeros((len(VIEWS), len(EMOTIONS)))
    for axis, view in enumerate(VIEWS):
        answered = truths[view] >= 0
        if answered.any():
            prior = np.maximum(targets[view].mean(axis=0), 1 / len(split))
            biases[axis] = fit_bias(shares[answered, axis], truths[view][answered], prior)
    return biases


def fit_bias(shares: np.ndarray, truth: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """(7,): the bias that is best for ``shares`` (N, 7) of faces whose emotion is ``truth`` (N,).

    ``prior`` (7,) says how frequent each emotion is. Of equally good strengths the smallest is taken.
    """
    logits = np.log(np.maximum(shares, SMALLEST_SHARE))
    rarity = np.asarray(np.log(prior).mean() - np.log(prior))
    biases = [np.asarray(strength * rarity) for strength in STRENGTHS]
    confusions = [confusion_matrix(truth, (logits + bias).argmax(axis=1)) for bias in biases]
    least = accuracy(confusions[0]) - PRICE
    gains = [macro_recall(confusion) if accuracy(confusion) >= least else -1.0 for confusion in confusions]
    return biases[int(np.argmax(gains))]
