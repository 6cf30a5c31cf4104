"""Two real processes train together (gloo): the same command, one run's folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.architecture import ROOT
from training.data.batching import Step
from training.network.load_network import restore_run
from training.run.distributed import Worker, join_workers
from training.run.run_folder import open_run

MEAN = """
import torch
from torch import nn
from training.run.distributed import join_workers
worker = join_workers()
first, second = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2, 2))
first.grad = torch.full((3,), 1.0 + worker.rank)
second.grad = None if worker.rank else torch.full((2, 2), 4.0)
tokens = worker.average_gradients([first, second], tokens=10 + worker.rank)
assert torch.equal(first.grad, torch.full((3,), 1.5)), first.grad
assert torch.equal(second.grad, torch.full((2, 2), 2.0)), second.grad
assert tokens == 21, tokens
worker.wait()
"""


def _run_two_processes(*command: str) -> subprocess.CompletedProcess[str]:
    """Both processes meet on the loopback interface, whatever the machine's name resolves to."""
    rendezvous = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    launch = [sys.executable, "-m", "torch.distributed.run", *rendezvous, "--nproc-per-node", "2", *command]
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    return subprocess.run(launch, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240)


def test_alone_nothing_is_averaged() -> None:
    worker, parameter = join_workers(), nn.Parameter(torch.zeros(2))
    assert worker == Worker()
    parameter.grad = torch.ones(2)
    assert worker.average_gradients([parameter], tokens=5) == 5
    assert torch.equal(parameter.grad, torch.ones(2))


def test_processes_share_the_steps_evenly() -> None:
    steps = [Step(str(number), np.arange(1)) for number in range(7)]
    parts = [[step.task for step in Worker(rank, 3).shard(steps)] for rank in range(3)]
    assert parts == [["0", "3"], ["1", "4"], ["2", "5"]]
    assert Worker().shard(steps) == steps


def test_two_processes_apply_the_mean_of_their_gradients(tmp_path: Path) -> None:
    script = tmp_path / "mean.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{MEAN}", encoding="utf-8")
    done = _run_two_processes(str(script))
    assert done.returncode == 0, done.stderr[-6000:]


def test_the_fit_command_on_two_processes_leaves_one_run(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "two.toml"
    recipe.write_text(
        f'encoder = "{encoder}"\nmax_steps = 9\nevaluate_every = 2\nbatch_tokens = 32\n'
        "[lora]\nrank = 2\nalpha = 4\n[tasks.banking_intent]\ncap = 40\n[tasks.market_topic]\ncap = 40\n",
        encoding="utf-8",
    )
    out = tmp_path / "run"
    done = _run_two_processes(
        "-m", "training", "fit", "--recipe", str(recipe), "--data", str(corpora), "--out", str(out)
    )
    assert done.returncode == 0, done.stderr[-6000:]
    run = open_run(out)
    assert run.is_finished
    assert run.state()["step"] == run.state()["steps"] >= 4
    assert [row["step"] for row in run.metrics()] == [2, 4][: run.state()["steps"] // 2]
    assert run.state()["tokens"] > json.loads((out / "recipe.json").read_text())["max_steps"]
    network, _, _ = restore_run(run)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
