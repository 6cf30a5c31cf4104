"""Data-parallel training: `torchrun` or `accelerate launch` runs the same command in n processes.

Every process computes the gradient of its own batch, and all of them apply the mean, so that their weights stay equal:

    g = (g_1 + ... + g_n) / n

One update may combine batches of different tasks. Only the first process validates, logs and writes files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from training.data.batching import Step


@dataclass(frozen=True)
class Worker:
    """This process in a group that trains together: its rank, counted from 0, and the size of the group."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """True for the process that validates, logs and writes files."""
        return self.rank == 0

    def shard(self, steps: Sequence[Step]) -> list[Step]:
        """Return this process's steps: every `size`-th one, the same number for all; up to `size` - 1 are dropped."""
        return list(steps[self.rank :: self.size][: len(steps) // self.size])

    def average_gradients(self, parameters: Sequence[nn.Parameter], *, tokens: int) -> int:
        """Replace the gradients by their mean over all processes; return the number of tokens of all processes."""
        if self.size == 1:
            return tokens
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([part.reshape(-1) for part in parts] + [torch.tensor([float(tokens)])])
        distributed.all_reduce(flat)
        at = 0
        for parameter in parameters:
            parameter.grad = (flat[at : at + parameter.numel()] / self.size).view_as(parameter)
            at += parameter.numel()
        return int(flat[-1])

    def wait(self) -> None:
        """Block until every process has called this."""
        if self.size > 1:
            distributed.barrier()


def join_workers() -> Worker:
    """Join the process group of the launcher; without a launcher this process is a group of its own."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return Worker()
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return Worker(distributed.get_rank(), distributed.get_world_size())


def run_in_processes(call: Callable[[], object], *, processes: int) -> None:
    """Run a picklable call in new single-threaded processes that train together on this machine."""
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id="training", max_restarts=0, start_method="spawn",
        rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0", local_addr="127.0.0.1",
    )  # fmt: skip
    elastic_launch(config, _run_single_threaded)(call)


def _run_single_threaded(call: Callable[[], object]) -> None:
    torch.set_num_threads(1)
    call()
