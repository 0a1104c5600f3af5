"""Every failure that the application can tell, found by walking its modules."""

import importlib
import pkgutil
from typing import Final

from webex_oauth import web
from webex_oauth.web.failures import Failure


def _every_failure() -> dict[str, Failure]:
    names = [module.name for module in pkgutil.iter_modules(web.__path__, f"{web.__name__}.")]
    constants = [pair for name in names for pair in vars(importlib.import_module(name)).items()]
    return {constant: value for constant, value in constants if isinstance(value, Failure)}


FAILURE_BY_CONSTANT: Final = _every_failure()
EVERY_FAILURE: Final = tuple(FAILURE_BY_CONSTANT.values())
