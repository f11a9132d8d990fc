"""Settings of what tools answer a model, whichever feature uses them (RS 12)."""

from pydantic import BaseModel, Field


class ToolOutputSettings(BaseModel):
    """What of the section llm is about tools."""

    llm_max_tool_output_chars: int = Field(
        default=10_000, ge=100, le=100_000, description="where a tool's answer is cut"
    )
    llm_max_message_content_chars: int = Field(
        default=2_000,
        ge=10,
        le=10_000,
        description="where one remembered text is cut that a model is shown",
    )
    llm_max_tool_calls_per_turn: int = Field(
        default=8,
        ge=1,
        le=32,
        description="calls of one turn that are carried out; more are answered as too"
        " many",
    )
