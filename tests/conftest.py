"""What several test modules need: a real face, a profile for Hypothesis, a browser, a study that was analysed once."""

import os
import shutil
import signal
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

# A shell that starts the tests in its background has them, and all that they start, pass over Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

BROWSER_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


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
