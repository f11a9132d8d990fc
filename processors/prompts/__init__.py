"""One prompt, one file, one VERSION, one golden rendering. Offline needs none."""
