"""Instance segmentation: boxes with classes and masks, and predictions with confidences."""
