"""Every way in which skopsafe fails, and the one warning it gives.

All errors derive from `SkopsafeError`. Each says what is wrong, where (a path into the object or
the file) and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence


def escape(text: str) -> str:
    """Spell every character that is not printable as an escape: controls, bidirectional marks, surrogates.

    Examples
    --------
    >>> escape("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def escape_lines(text: str) -> str:
    """Escape a text of several lines, leaving their ends."""
    return "\n".join(map(escape, text.split("\n")))


def shown(error: BaseException) -> BaseException | None:
    """Return an error to be the cause of one of ours, or None if a trace of it would show control characters.

    The text of an error of another library may repeat what stands in a file, and Python prints it as it is.
    """
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if not all(map(str.isprintable, str(found).split("\n"))):
            return None
        found = found.__cause__ or found.__context__
    return error


class SkopsafeError(Exception):
    """Base of every error raised by this package.

    Parameters
    ----------
    reason : str
        What is wrong.
    path : str, optional
        Where: an attribute path such as ``model.steps[0][1].func``, or a place in the file.
    next_step : str, optional
        What the reader of the message can do about it.
    """

    def __init__(self, reason: str, *, path: str = "", next_step: str = "") -> None:
        # Parts of it may come from a file, and a message ends up in terminals and logs.
        self.reason = self._escape(reason)
        self.path = escape(path or "")  # that of an ImportError may be None
        self.next_step = next_step
        where = f" (at {self.path})" if path else ""
        then = f" {next_step}" if next_step else ""
        super().__init__(f"{self.reason}{where}.{then}")

    _escape = staticmethod(escape)

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (type(self), self.args, dict(self.__dict__)))


def _restore(cls: type[SkopsafeError], args: tuple[object, ...], state: dict[str, object]) -> SkopsafeError:
    error: SkopsafeError = BaseException.__new__(cls)  # that of MemoryError is only for itself
    error.args = args
    error.__dict__.update(state)
    return error


class UnsupportedTypeError(SkopsafeError, TypeError):
    """An object cannot be written so that it could be loaded again."""


class ArgumentError(SkopsafeError, TypeError, ValueError):
    """A function was called with something that it does not take."""


class FileError(SkopsafeError, OSError):
    """A file cannot be opened, read or written.

    Where the operating system said why, it is also of the class that Python has for that, such as
    `PermissionError`.
    """

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore_file_error, (_kind(self), self.args, dict(self.__dict__), self.errno))


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file."""


_KINDS: tuple[type[OSError], ...] = (
    BlockingIOError,
    BrokenPipeError,
    ConnectionAbortedError,
    ConnectionRefusedError,
    ConnectionResetError,
    FileExistsError,
    InterruptedError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    TimeoutError,
)
_FILE_ERRORS: dict[type[OSError], type[FileError]] = {
    OSError: FileError,
    FileNotFoundError: MissingFileError,
    # All are shown as what they are caught as.
    **{kind: type("FileError", (FileError, kind), {"__module__": __name__}) for kind in _KINDS},
}
"""By the class of the system's error: the class of ours."""


def _kind(error: OSError) -> type[OSError]:
    return next((kind for kind in _FILE_ERRORS if kind is not OSError and isinstance(error, kind)), OSError)


def _restore_file_error(
    kind: type[OSError], args: tuple[object, ...], state: dict[str, object], number: int | None
) -> FileError:
    error = _FILE_ERRORS[kind].__new__(_FILE_ERRORS[kind])
    error.args = args
    error.__dict__.update(state)
    error.errno = number
    return error


class FormatError(SkopsafeError, ValueError):
    """The file is not a skopsafe file, or is damaged."""


class LimitError(FormatError):
    """The file asks for more than the limits of the reader allow."""


class ValidationError(FormatError):
    """The content of the file would build an object that is not safe to use."""


class MigrationError(FormatError):
    """The file is of an older release of a library, and the installed one would give other outputs."""


class OutOfMemoryError(SkopsafeError, MemoryError):
    """There is not enough memory to read or write a file."""


class MissingTypeError(SkopsafeError, ImportError):  # type: ignore[misc]  # ImportError has a path too
    """An approved name or a compression does not exist here: its package is absent or of another version."""


class DeniedTypeError(SkopsafeError, TypeError):
    """The file names something that no approval unlocks.

    Attributes
    ----------
    types : list of str
        The denied names, sorted.
    """

    def __init__(self, types: Sequence[str], details: str) -> None:
        self.types = sorted(types)
        super().__init__(
            f"The file names {', '.join(self.types)}, which can never be approved: {details}",
            next_step="Treat the file as hostile and do not load it.",
        )


class UntrustedTypesFoundException(SkopsafeError, TypeError):
    """The file needs names that were not approved.

    Attributes
    ----------
    types : list of str
        The names that need approval, sorted.
    """

    _escape = staticmethod(escape_lines)

    def __init__(self, types: Sequence[str], explanations: Sequence[str]) -> None:
        self.types = sorted(types)
        lines = "".join(f"\n  - {line}" for line in explanations)
        approve = ", ".join(repr(name) for name in self.types)
        super().__init__(
            f"{len(self.types)} name(s) in the file need approval:{lines}\n"
            "Nothing was imported and nothing was built",
            next_step=f"If you know and trust each of them: load(file, trusted=[{approve}])",
        )


class PolicyError(SkopsafeError, TypeError, ValueError):
    """The caller's approval itself is not acceptable, such as ``trusted=True``."""


class PluginError(SkopsafeError, ValueError):
    """A plugin is not in order, or speaks for names that are not its own."""


class VersionSkewWarning(UserWarning):
    """The file was written under another version of a library than the installed one."""


def file_error(error: Exception, what: str, path: str = "") -> FileError:
    """Return what the operating system, or a file object, raised as an error of ours.

    Parameters
    ----------
    error : Exception
        What it was: an OSError or, from a file object, any other.
    what, path : str
        What could not be done, and where.
    """
    number = error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if not isinstance(error, (OSError, ValueError)) or not reason:
        reason = f"{type(error).__name__}: {reason}"
    out = _FILE_ERRORS[_kind(error) if isinstance(error, OSError) else OSError](
        f"{what} ({reason})",
        path=path[:1000],
        next_step="Check the path, its permissions and the space left.",
    )
    out.errno = number
    return out
