"""Desks of their own, as the tests of the process have them."""

from tests.process.conftest import yard

__all__ = ["yard"]
