"""Who the processes are: user, group, umask, the pid file, how many CPUs."""

from __future__ import annotations

import contextlib
import grp
import math
import os
import pwd
import re
from collections.abc import Callable, Iterator

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.numerals import read_number


def octal(text: str | int, name: str) -> int:
    """A number stays; text is read as octal, as chmod(1) does."""
    try:
        value = int(text, 8) if isinstance(text, str) else text
    except ValueError:
        value = -1
    if not 0 <= value <= 0o7777:
        raise UsageError("%s is an octal number, not %r." % (name, text))
    return value


#: The next one means "unchanged" to the kernel.
MAX_ID = 2**32 - 2


def _number(text: str | int) -> int | None:
    """A uid or gid that is given as a number need not be in a database: in a
    container it often is not."""
    number = read_number(text) if isinstance(text, str) else text
    return number if number is not None and 0 <= number <= MAX_ID else None


def find_user(user: str | int | None) -> tuple[int, int | None] | None:
    """Its uid, and its group if it has an entry."""
    if user is None:
        return None
    number = _number(user)
    try:
        if number is None:
            entry = pwd.getpwnam(str(user))
        else:
            entry = pwd.getpwuid(number)
    except KeyError as error:
        if number is not None:
            return number, None
        raise UsageError("there is no user %r." % (user,)) from error
    return entry.pw_uid, entry.pw_gid


def find_group(group: str | int | None) -> int | None:
    if group is None:
        return None
    number = _number(group)
    if number is not None:
        return number
    try:
        return grp.getgrnam(str(group)).gr_gid
    except KeyError as error:
        raise UsageError("there is no group %r." % group) from error


class Identity:
    """What a worker becomes before it imports the application."""

    def __init__(
        self,
        user: str | int | None = None,
        group: str | int | None = None,
        umask: str | int | None = None,
    ) -> None:
        found = find_user(user)
        self.uid = None if found is None else found[0]
        self.gid = find_group(group)
        if self.gid is None and found is not None:
            self.gid = found[1]
        self.umask = None if umask is None else octal(umask, "umask")
        foreign = self.uid not in (None, os.geteuid()) or (
            self.gid not in (None, os.getegid())
        )
        if foreign and os.geteuid() != 0:
            raise UsageError(
                "only root can give workers another user or group."
            )

    def take_on(self) -> None:
        """Groups first: without its rights root's could not be left."""
        if self.umask is not None:
            os.umask(self.umask)
        if os.geteuid() != 0:
            return
        if self.gid is not None:
            os.setgid(self.gid)
        if self.uid is not None:
            try:
                name = pwd.getpwuid(self.uid).pw_name
                os.initgroups(name, os.getgid())
            except KeyError:
                os.setgroups([os.getgid()])
            os.setuid(self.uid)
        elif self.gid is not None:
            os.setgroups([self.gid])

    def ask(self, question: Callable[[], str]) -> str:
        """The answer as a worker would give it, by a child that becomes one
        if they are others than this process."""
        if os.geteuid() != 0 or (self.uid, self.gid) == (None, None):
            return question()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self.take_on()
                os.write(writer, question().encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            text = answer.read()
        os.waitpid(pid, 0)
        return text

    def own(self, path: str) -> None:
        """A file that root has made, but workers write or remove."""
        if os.geteuid() == 0 and (self.uid or self.gid) is not None:
            with contextlib.suppress(OSError):
                os.chown(
                    path,
                    -1 if self.uid is None else self.uid,
                    -1 if self.gid is None else self.gid,
                )


def name_process(name: str | None) -> None:
    if name is None:
        return
    try:
        import setproctitle
    except ModuleNotFoundError as error:
        raise UsageError(
            "proc_name needs the package setproctitle."
        ) from error
    setproctitle.setproctitle(name)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _read_pid(path: str) -> int:
    try:
        with open(path) as file:
            return int(file.read().strip() or 0)
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def pid_file(path: str | None) -> Iterator[None]:
    """Our pid stands there while inside. One of a process that is gone is
    replaced."""
    if path is None:
        yield
        return
    if os.path.exists(path) and not os.path.isfile(path):
        raise WsgibenchError("the pid file %s is no regular file." % path)
    pid = _read_pid(path)
    if pid > 0 and pid != os.getpid() and _is_alive(pid):
        raise WsgibenchError(
            "another process (%d) runs with the pid file %s." % (pid, path)
        )
    spare = "%s.%d" % (path, os.getpid())
    try:
        with open(spare, "w") as file:
            file.write("%d\n" % os.getpid())
        os.replace(spare, path)  # nobody reads half a number
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(spare)
        raise WsgibenchError(
            "cannot write the pid file %s: %s." % (path, error.strerror)
        ) from error
    try:
        yield
    finally:
        if _read_pid(path) == os.getpid():
            with contextlib.suppress(OSError):
                os.unlink(path)


def _quota(folder: str) -> float | None:
    """CPUs that a control group may use; None: it does not say."""
    with contextlib.suppress(OSError, ValueError):
        with open(folder + "/cpu.max") as file:  # cgroup v2
            quota, period = file.read().split()
        return int(quota) / int(period)  # "max" is a ValueError
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        with open(folder + "/cpu.cfs_quota_us") as file:
            micros = int(file.read())
        with open(folder + "/cpu.cfs_period_us") as file:
            return micros / int(file.read()) if micros > 0 else None
    return None


def _groups(memberships: str, root: str) -> Iterator[str]:
    """This process's control groups, each with all that it lies in: the
    quota may be a systemd unit's or a container's."""
    try:
        with open(memberships) as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = os.path.join(root, controllers) if controllers else root
        while path not in ("", "/"):
            yield top + path
            path = os.path.dirname(path)
        yield top


def cpus(
    memberships: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup"
) -> int:
    """How many this process may use at once: by its affinity, and by the
    quotas of its control groups."""
    count = os.cpu_count() or 1
    with contextlib.suppress(OSError):  # PyPy has no sched_getaffinity()
        with open("/proc/self/status") as file:
            allowed = re.search("Cpus_allowed:\t([0-9a-f,]+)", file.read())
        if allowed is not None:
            mask = int(allowed.group(1).replace(",", ""), 16)
            count = bin(mask).count("1")
    for folder in _groups(memberships, root):
        quota = _quota(folder)
        if quota is not None:
            count = min(count, math.ceil(quota))
    return max(1, count)
