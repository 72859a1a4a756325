"""The command line: options, terminal output, exit codes."""
