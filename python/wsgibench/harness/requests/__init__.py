"""What visitors ask of an application, read from a file: lines, JSON lines,
a HAR file of a browser, or an access log."""
