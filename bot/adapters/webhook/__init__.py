"""Programs that are told of pings: signed HTTP calls after the Standard Webhooks scheme."""
