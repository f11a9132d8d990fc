"""One prompt, one file, one VERSION. The offline engine needs none."""
