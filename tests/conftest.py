"""What several test modules need: a real face, a profile for Hypothesis, a browser, a study that was analysed once."""

import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import skimage
from hypothesis import HealthCheck, settings

# No deadline: a busy machine is no failure. Contributors' examples differ from run to run; those of CI are more and
# always the same, so that a change never fails there for an example that has nothing to do with it.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("patient", max_examples=50, **_PATIENT)
settings.register_profile("ci", max_examples=100, derandomize=True, **_PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "patient"))

# A shell that starts the tests in its background has them, and all that they start, pass over Ctrl-C; nohup, over a
# terminal that is closed.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

LONG = ("slow", "training", "fuzz")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests come first, so that no process is busy long after the others have ended.

    Coverage is that of the quick tests: to measure it makes Python take half as long again.
    """
    long = [item for item in items if any(map(item.get_closest_marker, LONG))]
    for item in long:
        item.add_marker(pytest.mark.no_cover)
    first = {item.path for item in long}
    items.sort(key=lambda item: item.path not in first)


BROWSER_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session", autouse=True)
def networks_are_compiled_once() -> Iterator[None]:
    """The shipped model and the detector: every run in this process would take most of a second for them."""
    from fer_batch import detection
    from fer_batch.classifiers.model_file import SHIPPED, ModelFile
    from fer_batch.options import AUTO

    load = ModelFile.load
    loaded = cache(lambda batch_size, runtime, precision: load(ModelFile(), batch_size, runtime))

    def load_once(model: ModelFile, batch_size: int, runtime: str = AUTO) -> object:
        if model.path != SHIPPED:
            return load(model, batch_size, runtime)
        return loaded(batch_size, model.choose(runtime)[0], model.precision(runtime))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelFile, "load", load_once)
        patch.setitem(detection.REGISTRY, detection.DEFAULT, cache(detection.REGISTRY[detection.DEFAULT]))
        yield


@pytest.fixture(scope="session")
def browser():
    """Chromium; Playwright allows only one at a time."""
    installed = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    chromium = next(installed, None) or pytest.skip("no Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photograph of one face, 512x512, in RGB."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"
