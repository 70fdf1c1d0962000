"""What came in: raw events, committed before they are acknowledged, handled once each, in order."""
