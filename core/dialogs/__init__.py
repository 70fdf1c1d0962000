"""Where a person stands in a conversation: kept in the same transaction as what the step does."""
