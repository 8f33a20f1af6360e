"""A parser that says what is wrong in two lines: the list of all options, which argparse puts before it, hides it."""

import argparse
from typing import NoReturn


class BriefParser(argparse.ArgumentParser):
    """What argparse has, but for errors."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\nall options: {self.prog} --help\n")
