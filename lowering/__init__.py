"""One level down: conversions, level contracts, pipelines and emitters."""
