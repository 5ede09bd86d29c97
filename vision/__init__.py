"""Images: numpy and OpenCV, nothing else."""
