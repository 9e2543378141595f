"""How long something takes on a machine that runs everything else at once."""

import timeit
from collections.abc import Callable


def quickest(call: Callable[[], object]) -> float:
    """Seconds of the quickest of four: any one of them may be halted for longer than a limit that is tested."""
    return min(timeit.repeat(call, number=1, repeat=4))
