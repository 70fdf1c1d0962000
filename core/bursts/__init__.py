"""How much comes in at once: so that programs do not talk for ever, and nobody drowns the rest."""
