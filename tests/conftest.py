"""What several test modules need: a real face, and results of one real run."""

import signal
from pathlib import Path

import pytest
import skimage
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell that starts the tests in its background has them, and all that they start, pass over Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photograph of one face, 512x512, in RGB."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"
