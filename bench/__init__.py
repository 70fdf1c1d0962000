"""Measurements of the desk beside the floor of the bare libraries, taken in one run."""
