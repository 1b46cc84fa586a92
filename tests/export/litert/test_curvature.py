import keras
import numpy as np
from small_translator import small_translator

from keras_bahdanau.export.litert.curvature import curvatures_of
from keras_bahdanau.export.litert.quantization import Block, blocks_of

SOURCE_IDS = np.array([[5, 6, 7, 3], [8, 9, 3, 0]], "int32")
TARGET_IN_IDS = np.array([[2, 10, 11], [2, 12, 0]], "int32")
MASK = np.array([[True, True, True], [True, True, False]])
REPEATED = 1500


def test_factors_of_the_output_matrix_are_what_the_softmax_gives():
    # The gradient of column v at one position is (p_v - [v is drawn]) times the deep output x, so
    # its mean square over draws is p_v (1 - p_v) x x', and covariances of outputs are -p_v p_w.
    model = small_translator(tie_embeddings="none").model
    kernel = model.decoder.output_layer.kernel
    block = Block(kernel, slice(None), rows_are_outputs=False)
    (found,) = curvatures_of(model, [block], [(SOURCE_IDS, TARGET_IN_IDS, MASK)] * REPEATED)
    inputs = {"source_ids": SOURCE_IDS, "target_in_ids": TARGET_IN_IDS}
    features = deep_output(model, inputs)[MASK].astype("float64")
    logits = np.array(model(inputs))[MASK]
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances = (chances / chances.sum(axis=1, keepdims=True)).astype("float64")
    variance = chances * (1 - chances)
    expected = np.einsum("t,ti,tj->ij", variance.sum(axis=1), features, features)
    covariance = np.einsum("tv,vw->tvw", chances, np.eye(chances.shape[1])) - np.einsum(
        "tv,tw->tvw", chances, chances
    )
    among_outputs = np.einsum("t,tvw->vw", np.square(features).sum(axis=1), covariance)
    for estimate, exact in ((found.inputs, expected), (found.outputs, among_outputs)):
        distance = np.linalg.norm(estimate / REPEATED - exact) / np.linalg.norm(exact)
        assert distance < 0.1


def deep_output(model, inputs):
    encoded = model.encoder(inputs["source_ids"])
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    features = model.decoder.features_model(
        {
            "target_in_ids": keras.ops.convert_to_tensor(inputs["target_in_ids"]),
            "target_mask": keras.ops.ones(inputs["target_in_ids"].shape, "bool"),
            "memory": encoded["memory"],
            "memory_mask": encoded["memory_mask"],
            **start,
        }
    )
    return np.array(model.decoder.readout_model(features))


def test_padding_changes_nothing():
    model = small_translator().model
    blocks = blocks_of(model)
    batch = (SOURCE_IDS[:1], TARGET_IN_IDS[:1], MASK[:1])
    wider = tuple(np.pad(each, [[0, 0], [0, 2]]) for each in batch)
    for plain, padded in zip(
        curvatures_of(model, blocks, [batch]), curvatures_of(model, blocks, [wider]), strict=True
    ):
        np.testing.assert_allclose(padded.inputs, plain.inputs, rtol=1e-3, atol=1e-6)


def test_every_block_has_factors_of_its_own_shape():
    model = small_translator(
        embedding_dim=32, encoder_units=32, decoder_units=32, attention_units=32, order="between"
    ).model
    blocks = blocks_of(model)
    found = curvatures_of(model, blocks, [(SOURCE_IDS, TARGET_IN_IDS, MASK)])
    for block, curvature in zip(blocks, found, strict=True):
        outputs, inputs = block.of(np.array(block.variable)).shape
        assert curvature.inputs.shape == (inputs, inputs)
        assert curvature.outputs.shape == (outputs, outputs)
        for factor in curvature:
            assert np.linalg.eigvalsh(factor).min() > -1e-4 * np.trace(factor)


def test_the_model_stays_as_it_is():
    model = small_translator().model
    before = [np.array(weight) for weight in model.weights]
    curvatures_of(model, blocks_of(model), [(SOURCE_IDS, TARGET_IN_IDS, MASK)])
    keras.tree.map_structure(np.testing.assert_array_equal, before, [*map(np.array, model.weights)])
