"""``fer-batch``, and ``python -m fer_batch``, which is the same."""

import signal


def main() -> None:
    """Run the program. Until a command begins there is nothing to put in order: Ctrl-C ends it at once."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from fer_batch.cli import app

    app(prog_name="fer-batch")


if __name__ == "__main__":
    main()
