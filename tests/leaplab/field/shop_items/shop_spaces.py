"""Latent spaces: two of the data, two of the model."""
import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import LatentSpaceReduction
from code_loader.inner_leap_binder.leapbinder_decorators import tensorleap_custom_latent_space


@tensorleap_custom_latent_space("colour_histogram")
def colour_histogram(item_id, subset: PreprocessResponse):
    picture = subset.data[item_id].picture
    return np.concatenate([np.histogram(picture[..., c], 8, (0, 1))[0] for c in range(3)]) / picture[..., 0].size


@tensorleap_custom_latent_space(reduce=LatentSpaceReduction.RANDOM_PROJECTION, n_components=16)
def pixels(item_id: str, subset: PreprocessResponse) -> np.ndarray:
    return subset.data[item_id].picture.ravel()


@tensorleap_custom_latent_space("embedding", use_ls_for_analysis=True)
def embedding_space(embedding: np.ndarray) -> np.ndarray:
    return embedding / np.linalg.norm(embedding.astype(np.float32), axis=1, keepdims=True).clip(1e-6)


@tensorleap_custom_latent_space("beliefs")
def beliefs(garment_guess: np.ndarray, colour_guess: np.ndarray) -> np.ndarray:
    return np.concatenate([garment_guess, colour_guess], axis=1)
