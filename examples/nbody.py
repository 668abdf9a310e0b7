"""Gravity between bodies: dataclasses as values in the kernel, arrays that stay on the device."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import stepwell as sw

BODY = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("mass", "f4")])


@dataclass
class Vec:
    x: sw.f32
    y: sw.f32
    z: sw.f32

    def plus(self, other, scale):
        return Vec(self.x + scale * other.x, self.y + scale * other.y, self.z + scale * other.z)


def towards(a, b):
    return Vec(b.x - a.x, b.y - a.y, b.z - a.z)


def pull(away, mass):
    """Softened, so that close bodies do not fly apart."""
    squared = away.x * away.x + away.y * away.y + away.z * away.z + 0.01
    return mass / (squared * np.sqrt(squared))


@sw.kernel
def accelerate(bodies, velocities, step):
    i = sw.global_id(0)
    here = bodies[i]
    force = Vec(0.0, 0.0, 0.0)
    for j in range(bodies.shape[0]):
        other = bodies[j]
        away = towards(here, other)
        force = force.plus(away, pull(away, other.mass))
    velocities[i, 0] += force.x * step
    velocities[i, 1] += force.y * step
    velocities[i, 2] += force.z * step


@sw.kernel
def move(bodies, velocities, step):
    i = sw.global_id(0)
    bodies[i].x += velocities[i, 0] * step
    bodies[i].y += velocities[i, 1] * step
    bodies[i].z += velocities[i, 2] * step


def momentum(bodies: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    return (velocities * bodies["mass"][:, None]).sum(axis=0)


def main() -> None:
    rng = np.random.default_rng(0)
    count, steps, step = 200, 20, 0.001
    start = np.zeros(count, BODY)
    for axis in "xyz":
        start[axis] = rng.normal(size=count)
    start["mass"] = rng.uniform(0.5, 2, count)
    for device in sw.devices():
        bodies, velocities = device.array(start), device.zeros((count, 3), "f32")
        for _ in range(steps):
            accelerate.over(count, device=device)(bodies, velocities, step)
            move.over(count, device=device)(bodies, velocities, step)
        left = momentum(start, velocities.numpy())
        assert np.abs(left).max() < 1e-2, "no momentum comes from nothing"
        print(f"{device.name}: {count} bodies, {steps} steps, momentum {np.abs(left).max():.1e}")


if __name__ == "__main__":
    main()
