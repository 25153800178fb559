"""The feature catalog: definitions, computing, joins, and values online."""
