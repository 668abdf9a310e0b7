"""Executes a grid: warps of 32 lanes with a program counter each, blocks one after the other.

A warp runs the lanes with the smallest program counter, those inside the deepest call first, until
they reach the place where others stand; so lanes meet again behind branches and loops. Where lanes
ahead wait for nothing, they get a turn now and then, so that a lane that spins on a lock which
another lane of its warp holds makes progress.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import DivergentBarrier, PtxError, StepLimit
from .memory import Array, Memory, Space, place_shared, window
from .syntax import Function, Instruction, Variable
from .values import LANES, Cell, Mask, Run, count_nonzero, locate

Dim3 = tuple[int, int, int]
# What a control instruction returns after it has set the program counters of its lanes itself.
REPICK = -1
_DEPTH = 1 << 32
_NEVER = np.iinfo(np.int64).max
_QUANTUM = 512


@dataclass
class Step:
    """An instruction, ready to run. `control`: it sets program counters or waits."""

    run: Run
    instruction: Instruction
    control: bool


@dataclass
class Frame:
    """Registers and local variables of one function at one depth of calls."""

    registers: list[Cell]
    offsets: dict[Variable | Function, int]


@dataclass
class Copy:
    """A cp.async that is under way: what to write where once somebody waits for it."""

    lanes: Array
    groups: Array
    offsets: Array
    data: Array


@dataclass
class Launch:
    """What all blocks of a launch share."""

    code: list[Step]
    functions: dict[int, Function]
    memory: Memory
    shared: list[Variable]
    entry: Function
    grid: Dim3
    block: Dim3
    dynamic_shared: int
    step_limit: int
    strict_barriers: bool
    printed: list[str]
    backwards: bool = False
    steps: int = 0

    def count(self, steps: int) -> None:
        """Counts instructions of warps."""
        self.steps += steps
        if self.steps > self.step_limit:
            raise StepLimit(f"more than {self.step_limit} warp instructions: an endless loop?")

    def run(self) -> None:
        """All blocks."""
        gx, gy, gz = self.grid
        with np.errstate(all="ignore"):
            for z in range(gz):
                for y in range(gy):
                    for x in range(gx):
                        Block(self, (x, y, z)).run()


class Warp:
    """32 lanes."""

    def __init__(self, block: Block, index: int, threads: int):
        self.block = block
        self.launch = block.launch
        self.index = index
        self.alive: Mask = np.arange(LANES) + index * LANES < threads
        self.absent = ~self.alive
        self.keys: Array = np.full(LANES, self.launch.entry.base, np.int64)
        self.parked: Mask = np.zeros(LANES, np.bool_)
        self.at_barrier: Mask = np.zeros(LANES, np.bool_)
        self.forced = self.in_vain = False
        self.stuck: tuple[int, DivergentBarrier] | None = None
        self.tried: Mask = np.zeros(LANES, np.bool_)
        self.start = self.turn = 0
        self.group: Mask = self.alive
        self.pc = self.limit = 0
        self.depth = -1
        self.function: Function = self.launch.entry
        self.frames: dict[tuple[Function, int], Frame] = {}
        self.registers: list[Cell] = []
        self.offsets: dict[Variable | Function, int] = {}
        self.local = Space("local", window("local"), rows=LANES)
        self.returns: list[Array] = []
        self.carry: Array = np.zeros(LANES, np.uint64)
        self.copies: list[Copy] = []
        self.copy_group: Array = np.zeros(LANES, np.int64)
        self._specials = _specials(block, index)

    # --- choosing lanes -----------------------------------------------------------------------

    def pick(self) -> bool:
        """Chooses the lanes to run next; False if all have ended or wait."""
        ready = self.alive & ~(self.at_barrier | self.parked)
        self.forced = not count_nonzero(ready)
        if not self.in_vain:
            self.stuck = None
            self.tried[:] = False
        self.in_vain = False
        if self.forced:
            ready = self.parked & self.alive & ~self.tried
            if not count_nonzero(ready):
                if self.stuck is None:
                    return False
                self.pc, error = self.stuck
                raise error
        key = int(np.where(ready, self.keys, _NEVER).min())
        here = self.alive & ~self.at_barrier
        self.group = here & (self.keys == key)
        others = here & ~self.group
        self.limit = -1
        if not count_nonzero(others):
            self.turn = 0
        else:
            self.turn = (self.turn + 1) & 255
            if self.turn >= 192 and not self.forced:
                key = int(np.where(ready, self.keys, -_NEVER).max())
                self.group = here & (self.keys == key)
                self.limit = -2
            else:
                ahead = others & (self.keys > key)
                self.limit = int(np.where(ahead, self.keys, _NEVER).min()) - (key & -_DEPTH)
        self.parked &= ~self.group
        self.start = self.pc = key & (_DEPTH - 1)
        self.enter(-(key >> 32))
        return True

    def enter(self, depth: int) -> None:
        """Makes the registers of the current function those that instructions see."""
        function = self.launch.functions[self.pc]
        if depth == self.depth and function is self.function:
            return
        self.depth, self.function = depth, function
        frame = self.frame(function, depth)
        self.registers, self.offsets = frame.registers, frame.offsets

    def frame(self, function: Function, depth: int) -> Frame:
        """The frame of a function at a depth of calls."""
        found = self.frames.get((function, depth))
        if found is None:
            registers = [Cell(register, self.absent) for register in function.registers]
            places: dict[Variable | Function, int] = {}
            formals = [] if function.is_entry else function.parameters + function.results
            for variable in (*function.variables, *formals):
                places[variable] = self.local.allocate(variable.nbytes, max(variable.align, 8))
            found = self.frames[function, depth] = Frame(registers, places)
        return found

    def key(self, pc: int) -> int:
        """What `keys` holds for lanes at `pc` in the current function."""
        return pc - self.depth * _DEPTH

    # --- running ------------------------------------------------------------------------------

    def run(self, quantum: int) -> int:
        """Runs up to about `quantum` instructions; the number that were run."""
        steps = 0
        try:
            while steps < quantum and self.pick():
                steps += self._run_group(quantum - steps)
        except PtxError as error:
            instruction = self.launch.code[self.pc].instruction
            locate(error, instruction)
            lane = error.lane if error.lane is not None else int(np.flatnonzero(self.group)[0])
            error.thread = error.thread or self.name(lane)
            raise
        return steps

    def _run_group(self, budget: int) -> int:
        code, mask, pc, limit = self.launch.code, self.group, self.pc, self.limit
        steps = 0
        while steps < budget:
            step = code[pc]
            steps += 1
            self.pc = pc
            if step.control:
                self.keys[mask] = self.key(pc + 1)
            signal = step.run(self, mask)
            if signal is None:
                pc += 1
            elif signal == REPICK:
                return steps
            else:
                pc = signal
                if limit != -1:
                    break
            if pc == limit:
                break
        self.keys[mask] = self.key(pc)
        return steps

    def park(self, mask: Mask, why: str) -> int:
        """Lets lanes wait at this instruction until the lanes they name arrive, or have ended."""
        if self.forced and self.pc == self.start:
            self.in_vain = True
            self.tried |= mask
            error = DivergentBarrier(why, lane=int(np.flatnonzero(mask)[0]))
            self.stuck = self.stuck or (self.pc, error)
        self.keys[mask] = self.key(self.pc)
        self.parked |= mask
        return REPICK

    # --- surroundings -------------------------------------------------------------------------

    def name(self, lane: int) -> str:
        """ "block (0, 0, 0) thread (3, 0, 0)" """
        ids = tuple(int(self._specials[f"%tid.{axis}"][lane]) for axis in "xyz")
        return f"block {self.block.index} thread {ids}"

    def special(self, name: str) -> Array:
        """A special register."""
        found = self._specials.get(name)
        if found is not None:
            return found
        # The others are clocks; one of steps is the same in every run.
        ticks = time.perf_counter_ns() if "timer" in name else self.launch.steps
        return np.full(LANES, ticks >> 32 if name == "%clock_hi" else ticks, np.uint64)

    def route(self, addresses: Array) -> list[tuple[Space, Array | None]]:
        """The state spaces of generic addresses; None stands for all of them."""
        tops = addresses >> np.uint64(40)
        top = tops[0]
        if not count_nonzero(tops != top):
            return [(self.space(int(top)), None)]
        return [(self.space(int(t)), np.flatnonzero(tops == t)) for t in np.unique(tops)]

    def space(self, number: int) -> Space:
        """The state space whose window has this number."""
        memory = self.launch.memory
        if number == 1:
            return self.block.shared
        if number == 2:
            return self.local
        return {3: memory.parameters, 4: memory.constants}.get(number, memory.globals)


@dataclass
class Barrier:
    """A named barrier in use. `waiters`: warp, lanes, what to do with the reduced value."""

    expected: int | None = None
    arrived: int = 0
    positive: int = 0
    waiters: list[tuple[Warp, Mask, Callable[[int, int], None] | None, Instruction]] = field(
        default_factory=lambda: list[Any]()
    )


class Block:
    """The warps of a block, their shared memory and barriers."""

    def __init__(self, launch: Launch, index: Dim3):
        self.launch = launch
        self.index = index
        self.threads = launch.block[0] * launch.block[1] * launch.block[2]
        self.shared = Space("shared", window("shared"))
        place_shared(self.shared, launch.shared, launch.dynamic_shared)
        self.barriers: dict[int, Barrier] = {}
        count = -(-self.threads // LANES)
        self.warps = [Warp(self, i, self.threads) for i in range(count)]

    def run(self) -> None:
        """Until all threads have ended."""
        order = self.warps[::-1] if self.launch.backwards else self.warps
        while True:
            steps = 0
            for warp in order:
                steps += warp.run(_QUANTUM)
            self.launch.count(steps)
            if steps == 0 and not self._open_for_the_living():
                break
        for number, barrier in self.barriers.items():
            if barrier.waiters:
                raise self._stuck(number, barrier)

    def arrive(
        self,
        number: int,
        expected: int | None,
        warp: Warp,
        mask: Mask,
        instruction: Instruction,
        positive: int = 0,
        then: Callable[[int, int], None] | None = None,
        waits: bool = True,
    ) -> None:
        """Lanes of a warp arrive at barrier `number`, which opens when all have."""
        barrier = self.barriers.setdefault(number, Barrier())
        if barrier.arrived and barrier.expected != expected:
            raise DivergentBarrier(f"threads disagree about the number of threads of {number}")
        if not 0 <= number < 16:
            raise DivergentBarrier(f"barrier {number} is not one of the 16")
        if expected is not None and (expected % LANES or expected == 0):
            raise DivergentBarrier(f"a barrier for {expected} threads, not a multiple of 32")
        barrier.expected = expected
        for other, _, _, where in barrier.waiters:
            if other is warp and where is not instruction and _is_aligned(instruction):
                message = f"other threads of the warp wait at the barrier of line {where.line}"
                raise DivergentBarrier(message, lane=int(np.flatnonzero(mask)[0]))
        barrier.arrived += int(count_nonzero(mask))
        barrier.positive += positive
        if waits:
            warp.at_barrier |= mask
            barrier.waiters.append((warp, mask.copy(), then, instruction))
        if barrier.arrived >= (self.threads if expected is None else expected):
            self._open(number)

    def _open(self, number: int) -> None:
        barrier = self.barriers.pop(number)
        for warp, mask, then, _ in barrier.waiters:
            warp.at_barrier &= ~mask
            if then is not None:
                then(barrier.positive, barrier.arrived)

    def _open_for_the_living(self) -> bool:
        """CUDA lets a barrier wait only for threads that have not ended."""
        if self.launch.strict_barriers:
            return False
        alive = sum(count_nonzero(warp.alive) for warp in self.warps)
        for number, barrier in list(self.barriers.items()):
            if barrier.expected is None and barrier.waiters and barrier.arrived >= alive:
                self._open(number)
                return True
        return False

    def _stuck(self, number: int, barrier: Barrier) -> DivergentBarrier:
        warp, mask, _, instruction = barrier.waiters[0]
        expected = self.threads if barrier.expected is None else barrier.expected
        ended = self.threads - sum(count_nonzero(warp.alive) for warp in self.warps)
        message = f"{barrier.arrived} of {expected} threads wait at barrier {number} for ever"
        error = DivergentBarrier(f"{message} ({ended} of the block have ended)", instruction.line)
        error.thread = warp.name(int(np.flatnonzero(mask)[0]))
        return error


def _is_aligned(instruction: Instruction) -> bool:
    return instruction.opcode == "bar" or instruction.has("aligned")


def _specials(block: Block, index: int) -> dict[str, Array]:
    """The special registers that do not change."""
    launch = block.launch
    linear = np.arange(LANES, dtype=np.uint32) + np.uint32(index * LANES)
    bx, by, _ = launch.block
    lane = np.arange(LANES, dtype=np.uint32)
    one = np.uint32(1)
    # Of 64 bits: a shift by 32 of the last lane must not wrap.
    below = ((np.uint64(1) << lane.astype(np.uint64)) - np.uint64(1)).astype(np.uint32)
    table: dict[str, Array] = {
        "%tid.x": linear % bx, "%tid.y": linear // bx % by, "%tid.z": linear // (bx * by),
        "%laneid": lane, "%lanemask_eq": one << lane, "%lanemask_lt": below,
        "%lanemask_le": below | one << lane, "%lanemask_ge": ~below,
        "%lanemask_gt": ~(below | one << lane),
    }  # fmt: skip
    scalars = {
        "%warpid": index, "%nwarpid": len(range(0, block.threads, LANES)), "%smid": 0, "%nsmid": 1,
        "%gridid": 0, "%dynamic_smem_size": launch.dynamic_shared,
        "%total_smem_size": block.shared.used, "%cluster_ctarank": 0, "%cluster_nctarank": 1,
        "%is_explicit_cluster": 0,
    }  # fmt: skip
    for axis, number, grid, size in zip("xyz", block.index, launch.grid, launch.block, strict=True):
        scalars |= {
            f"%ctaid.{axis}": number, f"%nctaid.{axis}": grid, f"%ntid.{axis}": size,
            f"%cluster_ctaid.{axis}": 0, f"%cluster_nctaid.{axis}": 1,
            f"%clusterid.{axis}": number, f"%nclusterid.{axis}": grid,
        }  # fmt: skip
    table |= {name: np.full(LANES, value, np.uint32) for name, value in scalars.items()}
    return table
