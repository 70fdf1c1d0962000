"""What each person searched for last, so that it can be paged through."""
