"""How the report writes numbers."""


def count(number: int) -> str:
    """A whole number with a comma between thousands."""
    return f"{number:,}"


def percent(share: float) -> str:
    """A share, 0 to 1, in percent without the percent sign."""
    return f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text.replace("-", "\N{MINUS SIGN}")


def signed(number: float) -> str:
    """A number with two decimals and its sign."""
    text = f"{number:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text.replace("-", "\N{MINUS SIGN}")


def seconds(seconds: float, digits: int = 3) -> str:
    """A duration with its unit: to the millisecond in tables, with one digit in sentences."""
    return f"{seconds:,.{digits}f} s"


def part(some: int, whole: int) -> str:
    """``some`` in percent of ``whole``; empty if ``whole`` is 0."""
    return f"{percent(some / whole)} %" if whole else ""


def clock(seconds: float) -> str:
    """Seconds of a video as h:mm:ss.mmm."""
    milliseconds = round(abs(seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    sign = "-" if seconds < 0 and milliseconds else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def tenths(seconds: float) -> str:
    """Seconds of a video as h:mm:ss.t, for sentences and pictures; tables have :func:`clock`."""
    return clock(round(seconds, 1))[:-2]
