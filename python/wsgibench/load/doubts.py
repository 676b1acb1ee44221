"""Which numbers of a run are worth believing? Reasons, each with its figure
and with what to do."""

from __future__ import annotations

from typing import Any

from wsgibench.load import stall
from wsgibench.load.spec import LoadSpec
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    Doubt,
    doubt,
)

MAX_ERRORS = 1e-3  # of all requests; above it the run is no measurement
MAX_LAG_NS = 100_000  # p99, open loop
MIN_ANSWERED = 0.5  # of what was due, open loop
MIN_RATE = 0.99  # achieved / asked, open loop
MAX_STEAL = 0.01  # of a CPU
MAX_CLIENT_CPU = 0.8  # of its core, without watching the clock
#: Segments sent again, by requests: fewer do not reach the 99th percentile.
MAX_RESENT = 1e-3

#: Processes or machines that load together begin within that; windows, which
#: are put together by number, are twice as long.
MAX_APART_NS = 50_000_000

RATES = (GOODPUT, LATENCY)

#: What the kernel's errors mean for a client that ran out of something.
ERRORS = {
    "EADDRNOTAVAIL": "no port was left: use more source addresses (--source, "
    "--sources), or keep connections alive",
    "EMFILE": "no descriptor was left: use more --processes",
    "ENFILE": "the system has no descriptor left: raise fs.file-max",
}


def of_run(result: dict[str, Any], spec: LoadSpec) -> list[Doubt]:
    """The reasons against numbers of one run; [] when there is none."""
    found = _whole(result)
    found += _answers(result)
    found += _connections(result["connections"])
    if spec.keepalive and not spec.per_connection and not spec.requests:
        found += _open_at_once(result["connections"])
    found += _pace(result) if spec.open_loop else _closed(result)
    found += _network(result)
    found += started_apart(result.get("start_spread_ns", 0), "processes")
    return found


def started_apart(spread_ns: int, who: str) -> list[Doubt]:
    """The first of them had the server to itself, and so had the last; each
    window is the sum of what they counted at different times."""
    if spread_ns <= MAX_APART_NS:
        return []
    return [
        doubt(
            "spread-start",
            SUSPECT,
            NUMBERS,
            "its %s began %.2g s apart" % (who, spread_ns / 1e9),
            "%s with CPUs of their own" % who,
        )
    ]


def _whole(result: dict[str, Any]) -> list[Doubt]:
    """What spoils all numbers."""
    found = []
    if sum(result["classes"].values()) != result["scheduled"]:
        found.append(
            doubt(
                "miscounted",
                INVALID,
                NUMBERS,
                "the classes do not sum to the schedule",
                "this is a defect of wsgibench: report it",
            )
        )
    error = result["error"]
    if error:
        found.append(
            doubt(
                "client-failed",
                INVALID,
                NUMBERS,
                "the generator ended early, %s" % error,
                ERRORS.get(error, "a limit of the client's machine"),
            )
        )
    if result["interrupted"]:
        found.append(
            doubt("interrupted", SUSPECT, NUMBERS, "interrupted", "run again")
        )
    return found


def _answers(result: dict[str, Any]) -> list[Doubt]:
    """What the clock ended of a closed loop (in_flight) is no failure, and
    a few others are counted and stand in the tail."""
    classes: dict[str, int] = result["classes"]
    scheduled = max(1, result["scheduled"])
    failures = {
        name: count
        for name, count in classes.items()
        if count and name not in ("ok", "in_flight", "unsent")
    }
    failed = sum(failures.values())
    found = []
    if classes["ok"] == 0:
        found.append(
            doubt(
                "unanswered",
                INVALID,
                NUMBERS,
                "no request was answered",
                "see whether the server runs and what it logs",
            )
        )
    if classes["bad_body"]:
        found.append(
            doubt(
                "wrong-answers",
                INVALID,
                NUMBERS,
                "%d wrong bodies" % classes["bad_body"],
                "mend the server or the application",
            )
        )
    if failed / scheduled > MAX_ERRORS:
        found.append(
            doubt(
                "failures",
                INVALID,
                NUMBERS,
                "%d of %d requests failed (%s)"
                % (
                    failed,
                    scheduled,
                    ", ".join("%s %d" % one for one in failures.items()),
                ),
                "samples[] of the record says which; mend it or ask less",
            )
        )
    return found


def _connections(connections: dict[str, Any]) -> list[Doubt]:
    asked = connections["asked"]
    found = []
    if connections["stray"]:
        found.append(
            doubt(
                "wrong-answers",
                INVALID,
                NUMBERS,
                "%d connections carried bytes nobody asked for"
                % connections["stray"],
                "mend the server or the application",
            )
        )
    starved = asked - connections["ever_answered"]
    if starved and connections["answers"] >= 10 * asked:
        found.append(
            doubt(
                "starved",
                SUSPECT,
                RATES,
                "%d of %d connections were never answered" % (starved, asked),
                "the server serves fewer at once than were asked: fewer "
                "connections, or more threads",
            )
        )
    return found


def _open_at_once(connections: dict[str, Any]) -> list[Doubt]:
    most, asked = connections["open_at_once"], connections["asked"]
    if most >= asked:
        return []
    return [
        doubt(
            "fewer-connections",
            SUSPECT,
            NUMBERS,
            "%d of %d connections were open at once" % (most, asked),
            "a longer warm-up, or fewer connections",
        )
    ]


def _pace(result: dict[str, Any]) -> list[Doubt]:
    # The schedule's own count: a Poisson process is not exactly its rate.
    due = result["scheduled"] / max(1e-9, result["duration_s"])
    found = []
    unsent = result["classes"]["unsent"]
    ok = result["classes"]["ok"]
    if ok < MIN_ANSWERED * result["scheduled"]:
        found.append(
            doubt(
                "hopeless",
                INVALID,
                NUMBERS,
                "%d of %d requests that were due were answered"
                % (ok, result["scheduled"]),
                "ask for what it can do: without --rate the load finds it",
            )
        )
    if result["goodput"] < MIN_RATE * due or unsent:
        more = (
            ", %d requests found no free connection to the end" % unsent
            if unsent
            else ""
        )
        found.append(
            doubt(
                "overload",
                SUSPECT,
                (LATENCY,),
                "%.0f requests/s were due, %.0f were answered in time%s"
                % (due, result["goodput"], more),
                "its queue grew for as long as it was loaded: ask for less",
            )
        )
    lag = result["lag"]["p99_ns"]
    share = result["client_cpu_share"]
    if lag > MAX_LAG_NS or share > MAX_CLIENT_CPU:
        found.append(
            doubt(
                "client-late",
                SUSPECT,
                (LATENCY,),
                "the client sent late (p99 schedule lag %.0f us, %.0f %% of "
                "its CPU)" % (lag / 1e3, 100 * share),
                "ask for less, or use more --processes on CPUs of their own",
            )
        )
    return found


def _stood_still(result: dict[str, Any]) -> list[Doubt]:
    """A closed loop asks a standing server for nothing, so its quantiles
    hardly know of it."""
    longest = stall.unusual_ns(result)
    if not longest:
        return []
    return [
        doubt(
            "stood-still",
            SUSPECT,
            (LATENCY,),
            "no answer came for %.2g s, and a closed loop asks for nothing "
            "meanwhile" % (longest / 1e9),
            "load at a --rate: then every request that is due is counted",
        )
    ]


def _closed(result: dict[str, Any]) -> list[Doubt]:
    found = _stood_still(result)
    share = result["client_cpu_share"]
    if share <= MAX_CLIENT_CPU:
        return found
    return [
        *found,
        doubt(
            "client-limited",
            SUSPECT,
            RATES,
            "the client was the limit (%.0f %% of its CPU), so the server "
            "can do more" % (100 * share),
            "use more --processes on CPUs of their own; the CPU per request "
            "stands",
        ),
    ]


def _network(result: dict[str, Any]) -> list[Doubt]:
    """Of our own connections and of the time that this machine was given;
    what others' sockets did is not counted."""
    found = []
    resent = result["connections"].get("resent", 0)
    if resent > MAX_RESENT * max(1, result["scheduled"]):
        found.append(
            doubt(
                "resent",
                SUSPECT,
                (LATENCY,),
                "%d segments of its connections were sent again" % resent,
                "the network or a full accept queue lost them: fewer "
                "connections, a lower --connect-rate",
            )
        )
    kernel = result.get("kernel", {})
    # Counted from before the processes came up.
    seconds = kernel.get("wall_ns", 0) / 1e9 or result["duration_s"]
    ticks = kernel.get("steal_ticks", 0)
    steal = ticks / 100 / max(seconds, 1e-9)
    if steal > MAX_STEAL and ticks > 1:  # one may be the rest of another
        found.append(
            doubt(
                "stolen",
                SUSPECT,
                RATES,
                "%.1f %% of a CPU was stolen" % (100 * steal),
                "use a machine of your own",
            )
        )
    return found
