"""Slack, through slack-bolt for what comes in and slack-sdk as the client of the Web API."""
