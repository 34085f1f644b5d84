"""How much memory an encoder needs, by its size and by how it is used.

All coefficients stand here, in one place. Those of the weights follow from how training works:

- a trainable parameter takes 16 bytes: its weight, its gradient and Adam's two moments, in float32.
  Mixed precision does not change that: it computes in bfloat16, and keeps all of them in float32.
  Another 4 are lost: the place of the gradients of the step before, which are freed, is in pieces
  that the next ones do not all fit into;
- a frozen parameter takes the 4 bytes of its weight.

What a batch takes is its activations: wordpieces (rows × pieces of a row) × layers × width × the
coefficient. A layer keeps some 17 arrays of the width a piece for its backward pass (V. Korthikanti
et al., Reducing Activation Recomputation in Large Transformer Models, 2022), of 4 bytes each, 68 in
all; their gradients, attention and what the allocator holds make it 125. In bfloat16 it is half of
that. With gradient checkpointing a layer keeps its input only, and one layer at a time has all.

When a training saves its best pipeline there are no gradients and activations, but a copy of the
weights; the peak of a training is the larger of the two.

A pipeline on OpenVINO holds the file of the weights, and OpenVINO copies it when it reads it. Then
it lays the matrices out anew for the CPU's instructions. A process that annotates both single texts
and streams compiles the model twice, and takes the last two twice; one of them is counted here.

All of these are peaks of the whole process's resident memory on a CPU, as `benchmark` measures
them. The coefficients of training were fitted to MiniLM-L6 in batches of 650 to 3,900 wordpieces,
and to an encoder of mpnet's size in one of 340, with a tagger; those of inference to MiniLM-L6,
and to how much more mpnet took than that when both were loaded.
"""

from dataclasses import dataclass

from .sizes import Sizes

TRAINABLE_BYTES = 20
FROZEN_BYTES = 4
GRADIENT_BYTES = 4  # of these, what is free between two steps
SAVING_BYTES = 4  # a copy of a weight, while a pipeline is saved
ACTIVATION_BYTES = 125  # in float32; half of that in bfloat16
CHECKPOINT_BYTES = 4  # with gradient checkpointing, in place of these
INFERENCE_BYTES = 150  # of one layer at a time, its inner width among them; measured, too
# Of all parameters, and once more of those outside the embeddings.
FP32_BYTES, FP32_LAID_OUT = 8, 4
INT8_BYTES, INT8_LAID_OUT = 2, 2
TRAINING_PROCESS = 480_000_000  # Python, spaCy, torch and transformers
FP32_PROCESS = 210_000_000  # Python, spaCy and OpenVINO
INT8_PROCESS = 250_000_000  # with the kernels of INT8
PIECES_PER_WORD = 1.3
INFERENCE_PIECES = 2 * 512  # max_pieces of a batch on OpenVINO, on each of two cores
GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Memory:
    """Bytes, by what takes them."""

    process: int
    weights: int
    activations: int
    saving: int  # beyond the weights, without gradients and activations

    @property
    def peak(self) -> int:
        return self.process + self.weights + max(self.activations, self.saving)


def estimate_training(
    sizes: Sizes,
    pieces: int,
    *,
    frozen: bool = False,
    bfloat16: bool = False,
    gradient_checkpointing: bool = False,
) -> Memory:
    """The peak memory of a training on an encoder, all in one: of a GPU's, what is on it is less by
    the process.

    pieces: Wordpieces of a batch, padding included.

    >>> sizes = find_sizes(CATALOGUE["bert-large-cased"])
    >>> round(estimate_training(sizes, pieces=512).peak / GIGABYTE, 1)
    7.5
    """
    if frozen:
        passing = estimate_inference(sizes, pieces)
        weights = FROZEN_BYTES * sizes.parameters
        saving = SAVING_BYTES * sizes.parameters
        return Memory(TRAINING_PROCESS, weights, passing.activations, saving)
    per_piece = ACTIVATION_BYTES / 2 if bfloat16 else ACTIVATION_BYTES
    layers = sizes.layers
    if gradient_checkpointing:
        per_layer = CHECKPOINT_BYTES * layers + per_piece
    else:
        per_layer = per_piece * layers
    return Memory(
        TRAINING_PROCESS,
        TRAINABLE_BYTES * sizes.parameters,
        round(pieces * sizes.width * per_layer),
        (SAVING_BYTES - GRADIENT_BYTES) * sizes.parameters,
    )


def estimate_inference(
    sizes: Sizes, pieces: int = INFERENCE_PIECES, *, int8: bool = False
) -> Memory:
    """The peak memory of a pipeline on OpenVINO, without torch: in INT8, or in float32."""
    each, laid_out = (INT8_BYTES, INT8_LAID_OUT) if int8 else (FP32_BYTES, FP32_LAID_OUT)
    weights = each * sizes.parameters + laid_out * sizes.outside
    process = INT8_PROCESS if int8 else FP32_PROCESS
    return Memory(process, weights, pieces * sizes.width * INFERENCE_BYTES, 0)


def most_pieces(sizes: Sizes, memory: int, **settings: bool) -> int:
    """Wordpieces of the largest batch that a training in so many bytes has room for; 0 if there is
    none even for a batch of nothing."""
    empty = estimate_training(sizes, 0, **settings)
    free = memory - empty.process - empty.weights
    if empty.peak > memory or free <= 0:
        return 0
    one = estimate_training(sizes, 1, **settings).activations
    return free // max(1, one)
