"""Say what a machine lacks for `make bench-gpu`, all at once; gpu_python.sh asks.

    python benchmarks/gpu_check.py FOLDER

FOLDER: That the wheels of gpu-bundle/ were installed to. What these need, and what training with
the package needs, is to be there or elsewhere, in versions that fit.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, requires, version

from packaging.requirements import Requirement

PACKAGE, EXTRA = "spacy-pretrained", "train"
# For what is not measured here: quantized pipelines, the hub, tokenizers without a tokenizer.json.
NOT_USED = {"openvino", "huggingface_hub", "sentencepiece", "protobuf"}


def main() -> None:
    (folder,) = sys.argv[1:]
    carried = [found.metadata["Name"] for found in distributions(path=[folder])]
    if faults := sorted(set(find_faults([PACKAGE, *carried]))):
        sys.exit("This machine lacks what the benchmark needs:\n" + "\n".join(faults))


def find_faults(packages: list[str]) -> Iterator[str]:
    """A line for each requirement of packages that is not met."""
    for package in packages:
        for requirement in map(Requirement, requires(package) or []):
            marker = requirement.marker
            if requirement.name in NOT_USED or (marker and not marker.evaluate({"extra": EXTRA})):
                continue
            wanted = f"{requirement.name}{requirement.specifier}"
            try:
                found = version(requirement.name)
            except PackageNotFoundError:
                yield f"- {wanted} is not there ({package} needs it)"
                continue
            if not requirement.specifier.contains(found, prereleases=True):
                yield f"- {requirement.name} {found} is not {wanted} ({package} needs it)"


if __name__ == "__main__":
    main()
