import os

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def load_config():
    with open(os.path.join(ROOT, "pallets", "config.yaml")) as f:
        return yaml.safe_load(f)


CFG = load_config()
HEIGHT, WIDTH = CFG["image_size"]
CLASSES = CFG["classes"]
NUM_CLASSES = len(CLASSES)
