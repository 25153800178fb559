"""Which failures are tried again, and when."""

from __future__ import annotations

import pytest

from jupyter_mlops.core import retries
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.runs import LONGEST_DELAY, MAX_LOST, Reason
from tests.support.records import a_sweep


def test_the_pause_doubles_up_to_a_limit() -> None:
    """Each retry waits twice as long as the one before, and none longer than five minutes."""
    sweep = a_sweep(retries=100, retry_delay=2.0)
    pauses = [retries.pause(sweep, Reason.ERROR, tries=n, lost=0) for n in (1, 2, 3, 8, 9, 100)]
    assert pauses == [2.0, 4.0, 8.0, 256.0, LONGEST_DELAY, LONGEST_DELAY]


def test_retries_are_used_up() -> None:
    """With two retries the third failure is the last."""
    sweep = a_sweep(retries=2)
    assert retries.pause(sweep, Reason.ERROR, tries=2, lost=0) == 0.0
    assert retries.pause(sweep, Reason.ERROR, tries=3, lost=0) is None


@pytest.mark.parametrize(
    ("causes", "reason", "again"),
    [
        (("any",), Reason.ERROR, True),
        (("any",), Reason.KERNEL_MISSING, True),
        (("kernel_died",), Reason.KERNEL_DIED, True),
        (("kernel_died",), Reason.ERROR, False),
        (("kernel_died", "timeout"), Reason.TIMEOUT, True),
        (("timeout", "any"), Reason.OUT_OF_MEMORY, True),
    ],
)
def test_only_named_causes_are_tried_again(
    causes: tuple[str, ...], reason: Reason, again: bool
) -> None:
    """A failure of another kind is final, however many retries are left."""
    sweep = a_sweep(retries=5, retry_on=causes)
    assert (retries.pause(sweep, reason, tries=1, lost=0) is not None) is again


def test_what_was_lost_is_tried_again_whatever_is_named() -> None:
    """It is not the run's fault: at once at first, then with pauses, and not for ever."""
    sweep = a_sweep(retries=0, retry_on=("timeout",), retry_delay=3.0)
    pauses = [retries.pause(sweep, Reason.LOST, tries=1, lost=n) for n in (1, 2, 3)]
    assert pauses == [0.0, 3.0, 6.0]
    assert retries.pause(sweep, Reason.LOST, tries=1, lost=MAX_LOST) is None


def test_causes_are_checked() -> None:
    """A cause that does not exist is refused with those that do."""
    assert retries.check_causes(["timeout", " lost", "timeout"]) == ("timeout", "lost")
    with pytest.raises(
        InvalidInput, match=r"'tiemout' is no cause\. Choose among error,"
    ) as refused:
        retries.check_causes(["timeout", "tiemout"])
    assert refused.value.field == "retry_on"
    with pytest.raises(InvalidInput, match="no cause is named"):
        retries.check_causes([])
