"""How ``serve`` runs, beside the server's own settings (settings.py): one
place for names, defaults and help texts. The command line, the configuration
file and WSGIBENCH_* variables take the same ones."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from wsgibench.errors import UsageError


def option(default: Any, help: str, **more: Any) -> Any:
    """A field of Options with its help text; `metavar`, `choices`."""
    metadata = {"help": help, **more}
    if isinstance(default, list):
        return field(default_factory=list, metadata=metadata)
    return field(default=default, metadata=metadata)


def check_seconds(name: str, seconds: Any) -> None:
    """UsageError unless it is a number that the core can count."""
    try:
        fits = bool(0 <= seconds <= 1e6)
    except TypeError:
        fits = False
    if not fits:
        raise UsageError(
            "%s is a number of seconds, not %r." % (name, seconds)
        )


def check_text(name: str, text: Any) -> None:
    """UsageError for what no file, host or setting can be called; None is
    not set."""
    if isinstance(text, str) and "\0" in text:
        raise UsageError("%s has a NUL in it: %r." % (name, text))


@dataclass
class Options:
    """Names are gunicorn's where it has the thing."""

    host: str = option("127.0.0.1", "where to listen")
    port: int = option(8000, "0 picks a free one")
    bind: list[str] = option(
        [],
        "HOST:PORT, unix:/path, unix:@name or fd://N; may be given again",
        metavar="ADDRESS",
    )
    uds_mode: str | None = option(
        None, "permissions of a unix socket's file, octal", metavar="MODE"
    )
    reuse_port: bool = option(
        False, "SO_REUSEPORT; with workers, a listening socket for each"
    )
    threads: int = option(0, "0: in the loop's own thread")
    loops: int = option(
        1,
        "loops in each process, each in a thread of its own: one for each "
        "CPU where Python has no GIL",
    )
    workers: str | int = option(
        1, "processes; auto: one for each CPU", metavar="N"
    )
    max_requests: int = option(
        0, "requests after which a worker is replaced (0: never)"
    )
    max_requests_jitter: int = option(
        0, "a random number up to this is added to max_requests"
    )
    preload: bool = option(
        False, "import the application once, before the workers are forked"
    )
    factory: bool = option(False, "APP makes the application: it is called")
    reload: bool = option(
        False, "start again when a source file changes; for development"
    )
    reload_extra_file: list[str] = option(
        [], "and when this one changes; may be given again", metavar="FILE"
    )
    grace: float = option(
        30.0, "seconds to finish work at the end", metavar="SECONDS"
    )
    hang_timeout: float = option(
        0.0,
        "end and replace a worker that is stuck for so long (0: never)",
        metavar="SECONDS",
    )
    drain_delay: float = option(
        0.0,
        "seconds to serve on after SIGTERM, while health_path answers 503",
        metavar="SECONDS",
    )
    health_path: str | None = option(
        None, "a path that the server answers itself: 200, draining 503"
    )
    pid: str | None = option(None, "file for the process id", metavar="FILE")
    user: str | None = option(None, "whom the workers run as")
    group: str | None = option(None, "and their group")
    umask: str | None = option(None, "of the workers, octal", metavar="MODE")
    chdir: str | None = option(
        None, "change to this directory first", metavar="DIRECTORY"
    )
    env: list[str] = option(
        [],
        "an environment variable of the application; may be given again",
        metavar="NAME=VALUE",
    )
    pythonpath: str | None = option(
        None,
        "directories to import from, before others; a comma between two",
        metavar="DIRECTORIES",
    )
    proc_name: str | None = option(
        None, "what ps calls the processes (needs setproctitle)"
    )
    access_log: str | None = option(
        None, "- is standard output", metavar="FILE"
    )
    log_format: str = option(
        "common",
        "of the access log: common, combined, json, or gunicorn's atoms "
        "(%(h)s ...)",
        metavar="FORMAT",
    )
    metrics: str | None = option(
        None,
        "answer Prometheus there: HOST:PORT, a port or unix:/path",
        metavar="ADDRESS",
    )
    statsd_host: str | None = option(
        None, "send gunicorn's numbers there", metavar="HOST:PORT"
    )
    statsd_prefix: str = option("", "before their names")
    dogstatsd_tags: str = option(
        "", "after their values, as DogStatsD reads it: NAME:VALUE,..."
    )
    error_log: str = option("-", "- is standard error", metavar="FILE")
    capture_output: bool = option(
        False, "what is printed goes to the error log's file, too"
    )
    log_level: str = option(
        "info",
        "of the error log",
        choices=("debug", "info", "warning", "error", "critical"),
    )
    log_config: str | None = option(
        None,
        "file for Python's logging.config (its own format, or .json)",
        metavar="FILE",
    )

    def check(self) -> None:
        for each in fields(self):
            choices = each.metadata.get("choices")
            value = getattr(self, each.name)
            for text in value if isinstance(value, list) else [value]:
                check_text(each.name, text)
            if choices and value not in choices:
                raise UsageError(
                    "%s is one of %s, not %r."
                    % (each.name, ", ".join(choices), value)
                )
        for name in ("grace", "hang_timeout", "drain_delay"):
            check_seconds(name, getattr(self, name))
        for name in ("max_requests", "max_requests_jitter"):
            if getattr(self, name) < 0:
                raise UsageError(
                    "%s must be 0 or more, not %d."
                    % (name, getattr(self, name))
                )
        if self.threads < 0:
            raise UsageError(
                "threads must be 0 or more, not %d." % self.threads
            )
        if self.loops < 1:
            raise UsageError("loops must be 1 or more, not %d." % self.loops)
        if self.health_path is not None and self.health_path[:1] != "/":
            raise UsageError(
                "health_path begins with /, unlike %r." % self.health_path
            )
        for pair in self.env:
            if pair.find("=") < 1:
                raise UsageError("env is NAME=VALUE, not %r." % pair)
        if self.reload_extra_file and not self.reload:
            raise UsageError("reload_extra_file is of no use without reload.")
        if self.capture_output and self.log_config is not None:
            raise UsageError(
                "capture_output needs error_log; with log_config there is "
                "no such file."
            )
        if self.preload and self.reload:
            raise UsageError(
                "preload keeps the code that reload would load again."
            )


NAMES = tuple(f.name for f in fields(Options))
