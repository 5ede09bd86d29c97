"""Numbers as a person reads them."""

THOUSAND, TOO_LONG = 1e3, 1e15


def numeral(value: float, digits: int = 3) -> str:
    """A number of 1,000 and more whole, as `9,240`; others with so many significant digits."""
    short = f"{value:.{digits}g}"
    return f"{value:,.0f}" if THOUSAND <= abs(float(short)) < TOO_LONG else short
