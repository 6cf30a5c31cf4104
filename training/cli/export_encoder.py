"""`python -m training export-encoder --out models/search-1.0`: export a pretrained encoder for the search."""

from __future__ import annotations

import argparse
from pathlib import Path

CORPORA = ("banking77", "bitext", "tfns", "sentfin", "semeval2017_task4", "goemotions", "finentity")
CALIBRATION, HELD_OUT = 60, 100


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifact, named <name>-<version>")
    parser.add_argument("--encoder", help="packaged encoder, local path or hub name (default: BELLWETHER_ENCODER)")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")


def run(arguments: argparse.Namespace) -> int:
    """Export the encoder, quantised with texts of the corpora, and print how close its vectors are to float32."""
    import json
    import random

    from training.artifact.export_encoder import export_encoder, split_name
    from training.config import settings
    from training.data.corpora import read_corpus

    root, chance = arguments.data or settings().data, random.Random(0)
    texts = {
        split: [
            example.text
            for corpus in CORPORA
            for example in chance.sample(read_corpus(corpus, root=root, split=split), n)
        ]
        for split, n in (("train", CALIBRATION), ("test", HELD_OUT))
    }
    name, version = split_name(arguments.out)
    encoder = arguments.encoder or settings().encoder
    artifact = export_encoder(
        arguments.out, encoder=encoder, name=name, version=version, calibration=texts["train"], held_out=texts["test"]
    )
    print(json.dumps(json.loads((artifact.folder / "metrics.json").read_text(encoding="utf-8"))))
    print(f"{artifact.manifest.id} is in {artifact.folder}")
    return 0
