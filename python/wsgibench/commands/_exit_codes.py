"""What a command ends with, where it is not 0."""

from wsgibench.errors import UsageError, WsgibenchError

#: Something could not be measured, or what was asked for does not hold.
FAILED = WsgibenchError.exit_code
#: The request itself is wrong.
USAGE = UsageError.exit_code
#: `load`: a gate was missed.
MISSED = 3
#: Everything was measured, and others on the machine disturbed some of it so
#: often that it has no figures: it may be quieter another time.
DISTURBED = 4
#: As a shell tells of SIGINT and of SIGPIPE.
INTERRUPTED = 128 + 2
NOBODY_READS = 128 + 13
