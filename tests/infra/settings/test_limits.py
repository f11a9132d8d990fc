"""Limits of the contract that a deployment may set, as a request meets them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from commands.ports import Limits
from commands.routes.settings import Instructions


def check(text, most):
    context = {"limits": Limits(instructions=most), "count_tokens": len}
    return TypeAdapter(Instructions).validate_python(text, context=context)


def test_instructions_are_as_long_as_the_deployment_allows():
    assert check("x" * 5, 5) == "xxxxx"
    with pytest.raises(ValidationError, match="must not exceed 5 tokens"):
        check("x" * 6, 5)
    with pytest.raises(ValidationError, match="must not exceed 0 tokens"):
        check("x", 0)
