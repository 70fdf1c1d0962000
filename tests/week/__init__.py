"""A week of a desk with two shifts, a holiday and a changed clock, replayed in seconds."""
