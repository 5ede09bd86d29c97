"""YOLOv7-tiny on the frames of a car's front camera, and a second camera that it was not trained for."""
