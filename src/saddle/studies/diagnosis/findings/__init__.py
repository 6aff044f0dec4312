"""The failures that are looked for, one a file. Each `judge` reads an `Evidence` and returns its `Finding`."""
