"""What Prometheus is told: how the API answers, and how far the pipeline is."""
