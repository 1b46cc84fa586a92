"""Registers the package's classes with Keras: `.keras` files load without `custom_objects`.

A class is registered when its module is imported. The package imports its modules at first use, so
`import keras_bahdanau` alone registers nothing; importing them at once would import Keras and its
backend even for the command's help. So they are imported together with Keras: now if Keras is
imported already, else by an import hook right after it.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys

# It imports all modules with registered classes, except the loss, which only compiled models
# refer to.
_REGISTERING_MODULE = "keras_bahdanau.models"


def register_with_keras():
    """Registers the classes now, or as soon as Keras is imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register():
    # If a module of the package imports Keras, that module is registering classes already.
    own = ("keras_bahdanau.layers", "keras_bahdanau.recurrent", "keras_bahdanau.models")
    keras_is_whole = hasattr(sys.modules["keras"], "layers")
    if keras_is_whole and not any(name in sys.modules for name in own):
        importlib.import_module(_REGISTERING_MODULE)


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Import hook: finds `keras` as usual, and registers the classes after its import."""

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
