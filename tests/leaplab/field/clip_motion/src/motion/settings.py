from pathlib import Path

projectRoot = Path(__file__).resolve().parents[2]
modelFile = projectRoot / "exported" / "motion.onnx"
numFrames, frameHeight, frameWidth = 6, 16, 20
directionNames = ["left", "right", "up", "down"]
