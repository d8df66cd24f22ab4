"""The analysis commands, as they run on this machine. Importing it is cheap: what analyses is loaded when it is needed."""
