"""What a command that measures ends with, where it is not 0."""

#: Something could not be measured.
FAILED = 1
#: Everything was, and others on the machine disturbed some of it so often
#: that it has no figures: it may be quieter another time.
DISTURBED = 4
