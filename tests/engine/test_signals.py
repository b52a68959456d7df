"""Signals as exceptions, and signals that wait for the end of a block."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

import pytest

from adaptstilts.engine.signals import TERMINATED, delaying_signals, sigterm_as_exit


@pytest.fixture(autouse=True)
def _python_s_own_handlers():
    """Start with Python's own handlers; Ray, which other tests start, leaves one for SIGTERM."""
    own = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    found = {number: signal.signal(number, handler) for number, handler in own.items()}
    yield
    for number, handler in found.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)], ids=["SIGTERM", "SIGINT"]
)
def test_signal_waits_for_the_end_of_the_block(number, raised):
    reached = []
    with sigterm_as_exit():
        with pytest.raises(raised), delaying_signals():
            os.kill(os.getpid(), number)
            reached.append("end")
        assert reached == ["end"]
        assert callable(signal.getsignal(number))
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_message_that_a_signal_meets_is_read_to_its_end():
    """A reader that is left between the length of a message and its body takes the body for the next length."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    for number in range(2):
        writer.send(number)

    class Interrupted(type(reader)):
        """A connection that SIGTERM meets after the first bytes of every message."""

        def _recv(self, size, *args, **kwargs):
            read = super()._recv(size, *args, **kwargs)
            os.kill(os.getpid(), signal.SIGTERM)
            return read

    met = Interrupted(os.dup(reader.fileno()), writable=False)
    received = []
    with sigterm_as_exit(), pytest.raises(SystemExit, match=str(TERMINATED)), delaying_signals():
        received.append(met.recv())
    assert [*received, reader.recv()] == [0, 1]


def test_other_threads_take_no_part_in_signals():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def run():
        with delaying_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
