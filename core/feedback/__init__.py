"""Ratings: what requesters think of how they were helped."""
