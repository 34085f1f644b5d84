"""Annotate a table of texts on Ray: parquet with `id` and `text` in, parquet with records out.

    python examples/ray_annotate.py PIPELINE texts.parquet annotated --actors 8

Ended at any time, the same command goes on: ids that have been written, which `annotated.done`
lists, are not annotated again. So an id is that of one row; and to begin again, for example with
another pipeline, remove `annotated` and `annotated.done`.
"""

import argparse
import os

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is reported to anybody

import ray
from ray.data.checkpoint import CheckpointConfig

from spacy_pretrained.bulk import Annotate

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("pipeline")
parser.add_argument("texts")
parser.add_argument("output")
parser.add_argument("--actors", type=int, default=1)
parser.add_argument("--rows", type=int, default=1000, help="rows of a batch and of a file")
args = parser.parse_args()

listed = f"{args.output}.done"
if os.path.isdir(listed) and os.listdir(listed) and not os.path.exists(args.output):
    parser.error(f"{listed} lists what was written to {args.output}, which is gone. Remove both.")

# The filter that leaves out what is done needs logical CPUs beside those of the actors. On a
# cluster, whose address is in RAY_ADDRESS, the machines say what they have.
on_cluster = "RAY_ADDRESS" in os.environ
ray.init(include_dashboard=False, num_cpus=None if on_cluster else args.actors + 2)
done = CheckpointConfig("id", listed, delete_checkpoint_on_success=False)
ray.data.DataContext.get_current().checkpoint_config = done
texts = ray.data.read_parquet(args.texts).select_columns(["id", "text"])
annotated = texts.repartition(target_num_rows_per_block=args.rows).map_batches(
    Annotate,
    fn_constructor_args=[args.pipeline],
    batch_format="pyarrow",
    batch_size=args.rows,
    compute=ray.data.ActorPoolStrategy(size=args.actors),
    num_cpus=1,
)
annotated.write_parquet(args.output)
