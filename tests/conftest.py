"""What several test modules need: a real face, a profile for Hypothesis, and a study that was analysed once."""

import os
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


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photograph of one face, 512x512, in RGB."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"
