"""Is a run worth believing? Reasons, each a sentence with its number."""

from __future__ import annotations

from typing import Any

from wsgibench.load.spec import LoadSpec

VALID, SUSPECT, INVALID = "VALID", "SUSPECT", "INVALID"

MAX_ERRORS = 1e-3  # of all requests; above it the run is no measurement
MAX_LAG_NS = 100_000  # p99, open loop
MIN_RATE = 0.99  # achieved / asked, open loop
MAX_STEAL = 0.01
MAX_CLIENT_CPU = 0.8  # of its core, without watching the clock

#: What the kernel's errors mean for a client that ran out of something.
ERRORS = {
    "EADDRNOTAVAIL": "no port was left: use more source addresses (--source, "
    "--sources), or keep connections alive",
    "EMFILE": "no descriptor was left: use more --processes",
    "ENFILE": "the system has no descriptor left",
}


def judge(result: dict[str, Any], spec: LoadSpec) -> tuple[str, list[str]]:
    """(verdict, reasons) of one run."""
    invalid: list[str] = []
    suspect: list[str] = []
    if sum(result["classes"].values()) != result["scheduled"]:
        invalid.append("the classes do not sum to the schedule")
    if result["error"]:
        error = result["error"]
        invalid.append(
            "the generator ended early, %s: %s"
            % (error, ERRORS.get(error, "a limit of the client's machine"))
        )
    _judge_answers(result, invalid, suspect)
    _judge_connections(result["connections"], invalid, suspect)
    if spec.keepalive and not spec.per_connection and not spec.requests:
        _judge_open(result["connections"], suspect)
    if spec.rate:
        _judge_rate(result, spec, suspect)
    _judge_client(result, suspect)
    _judge_kernel(result, suspect)
    if result["interrupted"]:
        suspect.append("interrupted")
    if invalid:
        return INVALID, invalid + suspect
    return (SUSPECT if suspect else VALID), suspect


def _judge_answers(
    result: dict[str, Any], invalid: list[str], suspect: list[str]
) -> None:
    classes: dict[str, int] = result["classes"]
    scheduled = max(1, result["scheduled"])
    failed = sum(
        count
        for name, count in classes.items()
        if name not in ("ok", "in_flight", "unsent")
    )
    if classes["ok"] == 0:
        invalid.append("no request was answered")
    if classes["bad_body"]:
        invalid.append("%d wrong bodies" % classes["bad_body"])
    if failed:
        words = "%d of %d requests failed" % (failed, scheduled)
        too_many = failed / scheduled > MAX_ERRORS
        (invalid if too_many else suspect).append(words)
    left = classes["in_flight"]
    if left:
        suspect.append("%d requests were still not answered at the end" % left)


def _judge_connections(
    connections: dict[str, Any], invalid: list[str], suspect: list[str]
) -> None:
    asked = connections["asked"]
    if connections["stray"]:
        invalid.append(
            "%d connections carried bytes nobody asked for"
            % connections["stray"]
        )
    starved = asked - connections["ever_answered"]
    if starved and connections["answers"] >= 10 * asked:
        suspect.append(
            "%d of %d connections were never answered" % (starved, asked)
        )


def _judge_open(connections: dict[str, Any], suspect: list[str]) -> None:
    most, asked = connections["open_at_once"], connections["asked"]
    if most < asked:
        suspect.append(
            "%d of %d connections were open at once" % (most, asked)
        )


def _judge_rate(
    result: dict[str, Any], spec: LoadSpec, suspect: list[str]
) -> None:
    # The schedule's own count: a Poisson process is not exactly its rate.
    seconds = max(1e-9, result["duration_s"])
    due = result["scheduled"] / seconds
    if result["goodput"] < MIN_RATE * due:
        suspect.append(
            "%.0f requests/s were due, %.0f were answered in time"
            % (due, result["goodput"])
        )
    lag = result["lag"]["p99_ns"]
    if lag > MAX_LAG_NS:
        suspect.append(
            "p99 schedule lag %.0f us, more than %.0f"
            % (lag / 1e3, MAX_LAG_NS / 1e3)
        )
    if result["classes"]["unsent"]:
        suspect.append(
            "%d requests found no free connection to the end"
            % result["classes"]["unsent"]
        )


def _judge_client(result: dict[str, Any], suspect: list[str]) -> None:
    share = result["client_cpu_share"]
    if share > MAX_CLIENT_CPU:
        suspect.append(
            "the generator used %.0f %% of its CPU: it may be the limit"
            % (100 * share)
        )


def _judge_kernel(result: dict[str, Any], suspect: list[str]) -> None:
    kernel = result.get("kernel", {})
    for name in ("ListenOverflows", "ListenDrops", "RetransSegs"):
        if kernel.get(name):
            suspect.append("%s rose by %d" % (name, kernel[name]))
    seconds = max(result["duration_s"], 1e-9)
    steal = kernel.get("steal_ticks", 0) / 100 / seconds
    if steal > MAX_STEAL:
        suspect.append("%.1f %% of a CPU was stolen" % (100 * steal))
