"""Object detection: boxes with classes, and predictions with confidences."""
