"""The one way to the tables: engines, transactions, migrations, and bells that ring after a commit."""
