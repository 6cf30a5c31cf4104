"""Data-parallel training: the same command under `torchrun` or `accelerate launch` runs as several processes.

Each process takes every n-th step's batch and computes its gradient; the mean of all gradients is what every process
applies, so all keep the same weights:

    g = (g_1 + ... + g_n) / n

Batches of different tasks meet in one update that way. The first process alone validates, logs and writes.
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
    """This process among those that train together: its number from 0, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process validates, logs and writes."""
        return self.rank == 0

    def shard(self, steps: Sequence[Step]) -> list[Step]:
        """This process' steps: one of every `size`; every process gets as many, so up to `size` - 1 are left out."""
        return list(steps[self.rank :: self.size][: len(steps) // self.size])

    def average_gradients(self, parameters: Sequence[nn.Parameter], *, tokens: int) -> int:
        """Put the mean of all processes' gradients into the parameters; returns the tokens of all of them."""
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
        """Go on when every process has come here."""
        if self.size > 1:
            distributed.barrier()


def join_workers() -> Worker:
    """Join the processes that a launcher started; alone where none did."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        return Worker()
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return Worker(distributed.get_rank(), distributed.get_world_size())


def run_in_processes(call: Callable[[], object], *, processes: int) -> None:
    """Run a call (it must be picklable) in new processes of one thread each that train together on this machine."""
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id="together", max_restarts=0, start_method="spawn",
        rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0", local_addr="127.0.0.1",
    )  # fmt: skip
    elastic_launch(config, _run_single_threaded)(call)


def _run_single_threaded(call: Callable[[], object]) -> None:
    torch.set_num_threads(1)
    call()
