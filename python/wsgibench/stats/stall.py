"""Latency that is the kernel's timer, not the server's work.

A server that writes an answer in two pieces without TCP_NODELAY waits for
the acknowledgement of the first (Nagle, RFC 896), which Linux holds back for
40 ms (TCP_DELACK_MIN). Such times pile up just above 40 ms, with a sharp
edge below, while the server's CPU idles. A queue in front of a busy server
can be 40 ms long too, but has no edge there.
"""

from __future__ import annotations

from wsgibench.load.hdr import Histogram
from wsgibench.stats import histogram

MS = 1e6
EDGE = 39.0 * MS
ABOVE = 48.0 * MS  # the timer, and what a turn of a busy machine adds
BELOW = 30.0 * MS
LEAST = 0.01  # of all requests
SHARP = 10.0  # times as many above the edge as below it
IDLE = 0.4  # of a CPU


def delayed_ack(times: Histogram, cpu_share: float) -> str:
    """A sentence that names the stall; "" without one."""
    inside = histogram.share(times, EDGE, ABOVE)
    before = histogram.share(times, BELOW, EDGE)
    if cpu_share > IDLE or inside < LEAST or inside < SHARP * before:
        return ""
    return (
        "delayed-acknowledgement stall: %.0f %% of the answers took about "
        "40 ms while the server used %.0f %% of a CPU; it waits for the "
        "kernel, for want of TCP_NODELAY or of one write for an answer"
        % (100 * inside, 100 * cpu_share)
    )
