"""Sentence pairs and their tokens. Nothing in here knows of Tensorleap."""
import random
from os.path import abspath, dirname, join

import numpy as np

HERE = dirname(abspath(__file__))
with open(join(HERE, "resources", "vocab.txt"), encoding="utf-8") as handle:
    VOCAB = handle.read().split()
INDEX = {word: place for place, word in enumerate(VOCAB)}
LABELS = ["entailment", "neutral", "contradiction"]
PREMISE_LEN, HYPOTHESIS_LEN = 10, 8

WHO = ["man", "woman", "dog", "child"]
DOES = ["sleeping", "running", "eating", "singing"]
WHERE = ["outside", "inside"]


def generate(seed, count):
    """A list of dictionaries: premise, hypothesis, label (an index), genre, agreement (None: one annotator only)."""
    rng = random.Random(seed)
    pairs = []
    for number in range(count):
        who, does, where = rng.choice(WHO), rng.choice(DOES), rng.choice(WHERE)
        premise = f"a {rng.choice(['happy ', ''])}{who} is {does} {where}"
        label = number % 3
        hypothesis = [
            f"a {who} is {does}",
            f"the {who} is {rng.choice([d for d in DOES if d != does])}",
            f"the {who} is not {does}",
        ][label]
        pairs.append({
            "premise": premise,
            "hypothesis": hypothesis,
            "label": label,
            "genre": rng.choice(["caption", "fiction"]),
            "agreement": None if number % 4 == 3 else rng.randint(3, 5) / 5,
        })
    return pairs


def encode(text, length):
    ids = [INDEX.get(word, INDEX["[UNK]"]) for word in text.split()][:length]
    return ids + [0] * (length - len(ids))


def decode(ids):
    return ["" if int(i) == 0 else VOCAB[int(i)] for i in ids]


def softmax(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
