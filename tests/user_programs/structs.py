"""Dataclasses, NamedTuples and enums as values of a kernel and as elements of arrays."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

import stepwell as sw


@dataclass
class Vec:
    x: sw.f32
    y: sw.f32 = 0.0

    def __add__(self, other: Vec) -> Vec:
        return Vec(self.x + other.x, self.y + other.y)

    def scaled(self, factor: sw.f32) -> Vec:
        return Vec(factor * self.x, factor * self.y)

    @property
    def length(self) -> sw.f32:
        return math.sqrt(self.x * self.x + self.y * self.y)


@dataclass
class Ball:
    place: Vec
    speed: Vec
    hits: sw.i32
    awake: sw.bool_


class Span(NamedTuple):
    low: sw.f32
    high: sw.f32


class Shape(enum.IntEnum):
    DISC = 0
    SQUARE = 1


def bounce(ball: Ball, span: Span) -> Ball:
    if span.low <= ball.place.x <= span.high:
        return ball
    inside = min(max(ball.place.x, span.low), span.high)
    return Ball(Vec(inside, ball.place.y), ball.speed.scaled(-1), ball.hits + 1, ball.awake)


def area(shape: sw.i32, size: sw.f32) -> sw.f32:
    match shape:
        case Shape.DISC:
            return math.pi * size**2
        case Shape.SQUARE:
            return size * size
        case _:
            return 0.0


@sw.kernel
def step(balls: sw.Array[Ball, 1], span: Span, dt: sw.f32) -> None:
    i = sw.global_id()
    ball = balls[i]
    if not ball.awake:
        return
    moved = replace(ball, place=ball.place + ball.speed.scaled(dt))
    balls[i] = bounce(moved, span)
    balls[i].hits += 1


@sw.kernel
def areas(shapes: sw.Array[sw.i32, 1], points: sw.Array[Vec, 1], out: sw.Array[sw.f32, 1]) -> None:
    i = sw.global_id()
    point = Vec(points[i].x, points["y"][i])
    out[i] = area(shapes[i], point.length) + points.x[i]


VEC = np.dtype([("x", "f4"), ("y", "f4")], align=True)
BALL = np.dtype([("place", VEC), ("speed", VEC), ("hits", "i4"), ("awake", "?")], align=True)


def main() -> None:
    balls = np.zeros(2, BALL)
    balls["place"]["x"] = 1, 9
    balls["speed"]["x"] = 2
    balls["awake"] = True
    step.over(2)(balls, Span(0, 10), 1.0)
    assert balls["place"]["x"].tolist() == [3, 10]
    assert balls["hits"].tolist() == [1, 2]
    points = np.array([(3, 4), (1, 0), (1, 1)], VEC)
    out = np.zeros(3, np.float32)
    areas.over(3)(np.array([1, 0, 2], np.int32), points, out)
    assert np.allclose(out, [28, math.pi + 1, 1])


main()
