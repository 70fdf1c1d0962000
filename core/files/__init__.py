"""Files that came along: streamed to disk, hashed, owned by a person and then by a ticket."""
