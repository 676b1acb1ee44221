"""The HTTP/1.1 cases of wsgibench.audit on our own server, and what needs
more than one message to show."""
