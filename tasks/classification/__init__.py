"""Single-label classification: one-hot ground truth [B, C] against class probabilities [B, C]."""
