"""torch.compile leaves the layers to Unroll.

It breaks its graph at recurrent layers anyway. Without a mark on `forward` it would go into it, and
find a model that is being compiled. The mark needs torch._dynamo, whose import takes longer than
that of PyTorch. So it is put on when something else imports it.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_NAME = "torch._dynamo"


class _Loader(Loader):
    """Loads the module as before, and then calls `after`."""

    def __init__(self, original: Any, after: Callable[[], None]) -> None:
        self._original, self._after = original, after

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._original.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._original.exec_module(module)
        self._after()


class _Finder(MetaPathFinder):
    def __init__(self, after: Callable[[], None]) -> None:
        self._after = after

    def _imported(self) -> None:
        if self in sys.meta_path:  # not twice, if it is imported in two threads
            sys.meta_path.remove(self)
            self._after()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._imported)
        return spec


def when_dynamo_is_imported(after: Callable[[], None]) -> None:
    """Call `after` once torch._dynamo is imported, or now if it is."""
    if _NAME in sys.modules:
        after()
    else:
        sys.meta_path.insert(0, _Finder(after))
