"""The extraction model: fields out of messages in four languages, as JSON."""
