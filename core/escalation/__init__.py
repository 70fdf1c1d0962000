"""What happens to an ageing ticket: policies of steps, pings, and the answers that stop them."""
