"""Speed and memory of the pipeline, as ratios to what the bare engine needs."""
