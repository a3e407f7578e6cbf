"""The exceptions of Unroll.

A text has one line: ``[operation] reason``. The reason states what was given, what was expected and
the remedy.
"""

__all__ = [
    "ArchitectureError",
    "ArgumentError",
    "Error",
    "FileError",
    "FormatError",
    "ShapeError",
]

NO_PYTORCH = "PyTorch is not installed; install it with: pip install torch"


class Error(Exception):
    """Base class of all exceptions here."""


class ShapeError(Error, ValueError):
    """Shapes or sizes of arrays do not fit together."""


class ArgumentError(Error, ValueError):
    """An argument is outside of its range."""


class FormatError(Error, ValueError):
    """A file was read, but its content is not valid."""


class ArchitectureError(FormatError):
    """The weights of a file leave the architecture open.

    Attributes
    ----------
    architecture : str
        A template of the architecture file. Where ``|`` stands between several words, keep one.
    """

    def __init__(self, message: str, architecture: str = "") -> None:
        super().__init__(message)
        self.architecture = architecture


class FileError(Error, OSError):
    """The operating system refused: a file is missing, can't be read, or the disk is full."""
