"""Makes Keras know the package's classes, so that `.keras` files load without `custom_objects`.

A class is known to Keras once its module has been imported. The package loads its modules at first
use, so `import keras_bahdanau` alone would not do; importing them at once would load Keras and its
backend even for those who only want the command's help. So they are imported together with Keras:
now where Keras is loaded already, else right after it will have been.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys

# Importing it imports all modules that register classes, except the loss's, which only
# compiled models name.
_REGISTERING_MODULE = "keras_bahdanau.models"


def register_with_keras():
    """Registers the classes now, or as soon as Keras is imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register():
    # While the package itself is what imports Keras, its modules register themselves.
    own = ("keras_bahdanau.layers", "keras_bahdanau.recurrent", "keras_bahdanau.models")
    keras_is_whole = hasattr(sys.modules["keras"], "layers")
    if keras_is_whole and not any(name in sys.modules for name in own):
        importlib.import_module(_REGISTERING_MODULE)


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Finds `keras` as ever, and registers the classes when its import is done."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module):
            execute(module)
            _register()

        spec.loader.exec_module = execute_and_register
        return spec
