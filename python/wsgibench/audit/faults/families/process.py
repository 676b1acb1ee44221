"""What happens to the server's processes. Asked of servers that the audit
starts itself; a worker is killed only where another process is there to
replace it."""

from wsgibench.audit.faults.fault import Fault

FAULTS = [
    Fault("background-thread", "robust", "robust", process="background"),
    Fault("descriptors", "robust", "robust", process="descriptors"),
    Fault("idle", "robust", "robust", process="idle"),
    Fault("terminated-answer", "robust", "robust", process="terminate"),
    Fault("worker-killed", "robust", "robust", process="kill_worker"),
]
