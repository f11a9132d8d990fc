"""What every test may ask for."""

pytest_plugins = [
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.log",
    "tests.support.servers",
]
