"""Counting in a hash table that all threads share: a slot is claimed by compare and exchange."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

import numpy as np

import stepwell as sw

EMPTY = 0xFFFFFFFF  # no key


def slot_of(key, slots):
    """Mixes all bits of a key, so that keys that are alike stand apart; `slots` is a power of 2."""
    mixed = (key ^ key >> 16) * 0x85EBCA6B
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35
    return (mixed ^ mixed >> 16) & (slots - 1)


@sw.kernel
def count(words, keys, counts):
    key = words[sw.global_id(0)]
    slot = slot_of(key, keys.shape[0])
    tried = 0
    while True:
        assert tried < keys.shape[0], f"the table is full, there is no slot for {key}"
        there = sw.atomic_compare_exchange(keys, slot, EMPTY, key)
        if there in (EMPTY, key):
            break
        slot = (slot + 1) & (keys.shape[0] - 1)
        tried += 1
    sw.atomic_add(counts, slot, 1)


def main() -> None:
    words = np.random.default_rng(0).zipf(1.3, 200_000).astype(np.uint32) % 5000
    expected = dict(zip(*np.unique(words, return_counts=True), strict=True))
    for device in sw.devices():
        keys, counts = device.array(np.full(8192, EMPTY, np.uint32)), device.zeros(8192, "u32")
        count.over(words.size, device=device)(device.array(words), keys, counts)
        table = {k: n for k, n in zip(keys.numpy(), counts.numpy(), strict=True) if k != EMPTY}
        assert table == expected
        print(f"{device.name}: {len(table)} words, the most frequent {max(table.values())} times")


if __name__ == "__main__":
    main()
