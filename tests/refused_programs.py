"""What `test_refusals.py` feeds to the front end; the functions are never run."""
# ruff: noqa
# pyright: basic, reportAssignmentType=false, reportAttributeAccessIssue=false
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportUnboundVariable=false, reportUndefinedVariable=false

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import stepwell as sw
from stepwell.language.types import ArrayType, ConstType, bool_, f32, i32, u64, u8

A = ArrayType(f32, 1)
A2 = ArrayType(f32, 2)
I = ArrayType(i32, 1)
B = ArrayType(bool_, 1)
U = ArrayType(u64, 1)

CASES: list[tuple[FunctionType, tuple[Any, ...], int | None]] = []


def refused(*types: Any, over: int | None = None, inside: Any = None) -> Callable[[Any], Any]:
    """Register a program; `inside` is the helper that holds the error."""

    def register(function: Any) -> Any:
        if inside is not None:
            function.error_in = inside
        CASES.append((function, types, over))
        return function

    return register


LONG = tuple(range(33))
WEIGHTS = [1.0, 2.0]
TABLE = np.zeros(4)
COUNTER = 0


@dataclasses.dataclass
class Point:
    x: float
    y: float


@dataclasses.dataclass
class Line:
    start: Point
    width: float


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: float


class Pair(NamedTuple):
    a: int
    b: float


class Plain:
    def __init__(self) -> None:
        self.x = 1.0


class Color(enum.IntEnum):
    RED = 1


class State(enum.Enum):
    ON = 0
    OFF = 1


P = sw.Array[Point, 1]


# Names


@refused(A)
def unknown_name(x):
    x[0] = lenght  # error 12: name lenght is not defined


@refused(A)
def misspelt_builtin(x):
    x[0] = lenn(x)  # error 12: name lenn is not defined ~ did you mean len?


@refused(A)
def module_of_another_language(x):
    x[cuda.threadIdx.x] = 1  # error 7: name cuda is not defined ~ sw.thread_id(0)


@refused(A)
def function_of_another_language(x):
    sw.syncthreads()  # error 5: sw has no attribute syncthreads ~ write sw.barrier()


@refused(A)
def id_as_an_attribute(x):
    x[sw.thread_id.y] = 1  # error 7: sw.thread_id has no attribute y ~ write sw.thread_id(1)


@refused(A)
def unknown_attribute_of_a_module(x):
    x[0] = math.sqr(x[0])  # error 12: math has no attribute sqr ~ did you mean sqrt?


@refused(A)
def unknown_attribute_of_an_array(x):
    x[0] = x.sizes  # error 12: arrays have no attribute sizes


@refused(A2)
def transposed_array(x):
    x[0, 0] = x.T[0, 0]  # error 15: arrays have no attribute T ~ swap the indices


@refused(A)
def attribute_of_a_number(x):
    x[0] = x[0].real  # error 12: f32 has no attribute real


@refused(A)
def global_list(x):
    x[0] = WEIGHTS[0]  # error 12: a list from outside is not a constant ~ use a tuple


@refused(A)
def global_array(x):
    x[0] = TABLE[0]  # error 12: an array from outside the kernel ~ pass it as a parameter


@refused(A)
def read_before_assignment(x):
    x[0] = late  # error 12: variable late is read before it is assigned
    late = 1.0


@refused(A)
def assigned_on_one_path(x):
    if x[0] > 0:
        v = 1.0
    x[0] = v  # error 12: variable v is not assigned on every path to here ~ before the branch


@refused(A, sw.i32)
def assigned_in_a_loop_only(x, n):
    for i in range(n):
        last = x[i]
    x[0] = last  # error 12: variable last is not assigned on every path to here


@refused(A)
def loop_variable_after_the_loop(x):
    for i in range(len(x)):
        x[i] = 0
    x[i] = 1  # error 7: variable i is not assigned on every path to here


# Types


@refused(A, I)
def integer_then_float(x, k):
    v = k[0]
    v = x[0]  # error 5: variable v is i32 at line
    x[0] = v


@refused(A)
def bool_then_number(x):
    found = x[0] > 0
    if x[1] > 0:
        found = 1  # error 9: a variable has one type
    x[0] = found


@refused(A, A)
def array_then_number(x, y):
    row = x
    if y[0] > 0:
        row = 1.0  # error 9: variable row is an array of f32 with 1 axes at line
    y[0] = row[0]


@refused(A, A)
def array_chosen_at_run_time(x, y):
    row = x
    if y[0] > 0:
        row = y  # error 9: depending on the path taken ~ call a function in each branch
    y[0] = row[0]


@refused(A)
def enum_member_chosen_at_run_time(x):
    state = State.ON
    if x[0] > 0:
        state = State.OFF  # error 9: depending on the path taken ~ enum.IntEnum
    x[0] = 1 if state == State.ON else 0


@refused(sw.Array[sw.u32, 1])
def variable_of_two_signs(x):
    for b in range(4):
        x[b] = 0
    b = x[0]  # error 5: variable b is i32 at line ~ use two names
    x[0] = b << 31


@refused(A, I)
def float_into_integer_array(x, k):
    k[0] = x[0]  # error 5: the value f32 is a float: needs a cast ~ sw.i32


@refused(B, I)
def number_into_bool_array(b, k):
    b[0] = k[0]  # error 5: element of b has type bool ~ bool(


@refused(ArrayType(u8, 1))
def literal_that_does_not_fit(x):
    x[0] = x[0] + 300  # error 12: 300 does not fit u8 (0 to 255)


@refused(U, I)
def unsigned_64_with_signed(x, k):
    x[0] = x[0] + k[0]  # error 12: u64 and i32 have no common type ~ cast one of them


@refused(A, A)
def whole_array_arithmetic(x, y):
    y[0] = x + 1  # error 12: got an array of f32 with 1 axes ~ index one element


@refused(A, I)
def mixed_and(x, k):
    x[0] = x[0] and k[0]  # error 12: operands of `and` are f32 and i32 ~ compare them


@refused(A)
def bits_of_a_float(x):
    x[0] = x[0] & 1  # error 12: operator & needs integers or bools, got f32


@refused(A)
def shift_of_a_float(x):
    x[0] = x[0] << 1  # error 12: operator << needs integers


@refused(I)
def negative_shift(k):
    k[0] = k[0] << -1  # error 12: negative shift count -1


@refused(I)
def negative_power_of_an_integer(k):
    k[0] = k[0] ** -2  # error 12: an integer to the power -2 is a fraction ~ float(x)


@refused(I)
def constant_division_by_zero(k):
    k[0] = k[0] // 0  # error 12: integer division by the constant zero


@refused(A)
def folded_division_by_zero(x):
    x[0] = 1 / 0  # error 12: constant expression: division by zero


@refused(A)
def string_arithmetic(x):
    x[0] = "a" + 1  # error 12: operator + needs numbers, got 'a' ~ in print or assert


@refused(A)
def matrix_product(x):
    x[0] = x[0] @ x[1]  # error 12: operator @


@refused(A)
def choice_of_number_and_tuple(x):
    v = (1.0, 2.0) if x[0] > 0 else x[1]  # error 9: the two sides are
    x[0] = v[0]


# Arrays


@refused(A, A)
def float_index(x, y):
    y[0] = x[y[1]]  # error 12: an index must be an integer, got f32 ~ int(


@refused(A)
def bool_index(x):
    x[0] = x[x[1] > 0]  # error 12: an index must be an integer, got bool


@refused(A)
def too_many_indices(x):
    x[0] = x[0, 1]  # error 12: 2 indices for an array with 1 axes


@refused(A)
def new_axis(x):
    x[0] = x[None, 0][0]  # error 12: None (a new axis) is not in the language


@refused(A)
def assign_a_slice(x):
    x[1:3] = 0  # error 5: a slice cannot be assigned to ~ element by element


@refused(A)
def backward_slice(x):
    x[0] = x[::-1][0]  # error 16: the step of a slice must be a positive constant


@refused(A)
def local_index_out_of_bounds(x):
    tile = sw.local(4, sw.f32)
    tile[4] = x[0]  # error 5: index 4 is out of bounds for axis 0 of tile with size 4


@refused(A)
def shape_out_of_bounds(x):
    x[0] = x.shape[1]  # error 20: index 1 of a tuple of 1 items


@refused(A, sw.i32)
def tuple_of_arrays_indexed_at_run_time(x, n):
    t = (x, x)
    x[0] = t[n][0]  # error 14: the index of a tuple that holds an array of f32 ~ sw.unroll


@refused(A, sw.i32)
def long_tuple_indexed_at_run_time(x, n):
    x[0] = LONG[n]  # error 17: of up to 32 one is chosen at run time ~ NumPy array


@refused(A)
def tuple_indexed_by_a_float(x):
    t = (1.0, 2.0)
    x[0] = t[x[0]]  # error 14: an index must be an integer, got f32 ~ int(


@refused(A, sw.i32)
def tuple_of_a_bool_and_a_number_indexed_at_run_time(x, n):
    t = (True, 2.0)
    x[0] = t[n]  # error 12: expected one type


@refused(A)
def assign_a_tuple_item(x):
    t = (1.0, 2.0)
    t[0] = x[0]  # error 5: cannot assign to an item of


@refused(A, sw.i32)
def local_array_of_run_time_size(x, n):
    tile = sw.local(n, sw.f32)  # error 12: the shape must be of positive constants ~ sw.Const
    tile[0] = x[0]


@refused(A)
def local_array_without_a_type(x):
    tile = sw.local(4, "f32")  # error 12: expected a type of the language, got 'f32'


@refused(A)
def index_a_number(x):
    x[0] = x[0][1]  # error 12: f32 cannot be indexed


# Calls


@refused(A)
def call_a_number(x):
    x[0] = x[0](1)  # error 12: f32 cannot be called


@refused(A)
def missing_argument(x):
    x[0] = math.atan2(x[0])  # error 12: math.atan2 takes 2 arguments (x, y), got 1


@refused(A)
def too_many_arguments(x):
    sw.barrier(1)  # error 5: sw.barrier takes no arguments, got 1


@refused(A)
def unknown_keyword(x):
    sw.atomic_add(x, 0, 1.0, ordering="relaxed")  # error 5: sw.atomic_add has no parameter ordering


@refused(A)
def unknown_order(x):
    sw.atomic_add(x, 0, 1.0, order="fast")  # error 5: order is 'fast', expected one of 'relaxed'


@refused(A)
def bits_of_a_float_array(x):
    sw.atomic_or_(x, 0, 1)  # error 5: sw.atomic_or on an array of f32, expected integers


@refused(B)
def atomic_on_bools(b):
    sw.atomic_exchange(b, 0, True)  # error 5: on an array of bool ~ i32


@refused(A)
def atomic_on_an_element(x):
    sw.atomic_add(x[0], 0, 1.0)  # error 5: needs an array, got f32 ~ separately


@refused(A)
def atomic_on_a_local_array(x):
    tile = sw.local(4, sw.f32)
    sw.atomic_add(tile, 0, x[0])  # error 5: on a local array, which no other thread sees


@refused(A, over=1)
def dimension_of_over(x):
    x[0] = sw.global_id(1)  # error 12: dimension 1 of a launch that has dimensions 0 to 0


@refused(A)
def fourth_dimension(x):
    x[0] = sw.thread_id(3)  # error 12: dimension 3 of a launch that has dimensions 0 to 2


@refused(A, sw.i32)
def dimension_at_run_time(x, n):
    x[0] = sw.thread_id(n)  # error 12: the dimension must be a constant


@sw.kernel
def other_kernel(x):
    x[0] = 1


@refused(A)
def kernel_called_from_kernel(x):
    other_kernel(x)  # error 5: other_kernel is a kernel and cannot be called ~ plain function


def countdown(n):
    return 0 if n == 0 else countdown(n - 1)  # error 29: countdown calls countdown ~ write a loop


@refused(A, sw.i32, inside=countdown)
def recursion(x, n):
    x[0] = countdown(n)


def ping(v):
    return pong(v) + 1.0


def pong(v):
    return ping(v) * 2.0  # error 12: ping calls pong calls ping


@refused(A, inside=pong)
def mutual_recursion(x):
    x[0] = ping(x[0])


@refused(A)
def recursive_inner_function(x):
    def down(v):
        return down(v - 1)

    x[0] = down(x[0])  # error 12: recursion is not in the language: down calls down


@refused(A)
def constant_past_the_end_of_f32(x):
    x[0] = x[0] * 1e39  # error 12: 1e+39 does not fit f32


def two_arguments(a, b):
    return a + b


@refused(A)
def helper_with_missing_argument(x):
    x[0] = two_arguments(x[0])  # error 12: two_arguments needs a value for b


@refused(A)
def helper_with_extra_argument(x):
    x[0] = two_arguments(x[0], 1, 2)  # error 12: two_arguments takes 2 arguments, got 3


@refused(A)
def helper_with_unknown_keyword(x):
    x[0] = two_arguments(x[0], c=2)  # error 12: two_arguments has no parameter c


def any_number(*values):
    return values[0]


@refused(A)
def helper_with_star(x):
    x[0] = any_number(x[0])  # error 12: any_number takes any number of arguments


def sometimes(v):
    if v > 0:
        return v  # error 9: returns f32 here and nothing at its end ~ on every path


@refused(A, inside=sometimes)
def helper_that_falls_off_its_end(x):
    x[0] = sometimes(x[0])


def float_or_bool(v):
    if v > 0:
        return v
    return v < 0  # error 5: this path returns bool, line


@refused(A, inside=float_or_bool)
def helper_with_two_return_types(x):
    x[0] = float_or_bool(x[0])


def first_row(m):
    return m[0, :]  # error 5: a function cannot return an array ~ pass the array and the index


@refused(A2, inside=first_row)
def helper_that_returns_an_array(x):
    x[0, 0] = first_row(x)[0]


@refused(A)
def class_without_fields(x):
    x[0] = Plain().x  # error 12: class Plain cannot be used in a kernel ~ dataclass


@refused(A)
def sorted_call(x):
    x[0] = sorted(x)[0]  # error 12: sorted cannot be called in a kernel


@refused(A)
def numpy_reduction(x):
    x[0] = np.sum(x)  # error 12: sum cannot be called in a kernel ~ write a loop


@refused(A)
def numpy_array(x):
    t = np.zeros(4, np.float32)  # error 9: numpy.zeros cannot be called in a kernel ~ sw.local(
    x[0] = t[0]


@refused(A)
def numpy_range(x):
    for i in np.arange(4):  # error 14: numpy.arange cannot be called ~ range(
        x[i] = 0.0


@refused(A)
def numpy_function_that_is_not_there(x):
    x[0] = np.sinc(x[0])  # error 12: numpy.sinc cannot be called ~ did you mean sin


@refused(A)
def math_function_that_is_not_there(x):
    x[0] = math.lgamma(x[0])  # error 12: math.lgamma cannot be called ~ kernels can call acos,


@refused(A)
def method_of_a_class_in_c(x):
    x[0] = np.random.rand()  # error 12: numpy.random.rand cannot be called ~ on the host


@refused(A)
def method_of_text(x):
    print("{}".format(x[0]))  # noqa: UP032  # error 11: format cannot be called ~ f-string


@refused(A)
def method_that_arrays_have_not(x):
    x.fill(0.0)  # error 5: arrays have no attribute fill in a kernel ~ element by element


@refused(A)
def kernel_with_a_result(x):
    return x[0]  # error 5: a kernel returns nothing, got f32 ~ array parameter


# Loops and statements


@refused(A)
def loop_over_a_number(x):
    for v in len(x):  # error 14: cannot loop over index ~ range(len(x))
        x[0] = v


@refused(A)
def float_range(x):
    for i in range(x[0]):  # error 14: range takes integers, got f32
        x[i] = 0


@refused(A)
def zero_step(x):
    for i in range(0, 10, 0):  # error 14: range() step is zero
        x[i] = 0


@refused(A, sw.i32)
def unroll_of_run_time_size(x, n):
    for i in sw.unroll(range(n)):  # error 14: the bounds of an unrolled range must be constants
        x[i] = 0


@refused(A)
def zip_of_tuple_and_array(x):
    for a, b in zip((1, 2), x):  # error 17: zip of a tuple with something of a length
        x[0] = a * b


@refused(A)
def wrong_number_of_targets(x):
    a, b, c = (1, 2)  # error 5: 3 targets for a tuple of 2 items


@refused(A)
def unpack_a_number(x):
    a, b = x[0]  # error 5: expected a tuple to unpack, got f32


@refused(sw.Array[sw.f32, 2])
def unpack_a_row(x):
    a, b = x[0]  # error 5: expected a tuple to unpack, got an array of f32 ~ x[i, 0], x[i, 1]


@refused(A)
def starred_target(x):
    a, *b = (1, 2, 3)  # error 5: 2 targets for a tuple of 3 items


@refused(A)
def try_statement(x):
    try:  # error 5: the statement try is not in the kernel language ~ test the condition
        x[0] = 1
    except IndexError:
        pass


@refused(A)
def with_statement(x):
    with open("file"):  # error 5: the statement with is not in the kernel language
        x[0] = 1


@refused(A)
def raise_statement(x):
    raise ValueError  # error 5: the statement raise is not in the kernel language ~ assert


@refused(A)
def delete_statement(x):
    v = x[0]
    del v  # error 5: the statement del is not in the kernel language


@refused(A)
def global_statement(x):
    global COUNTER  # error 5: the statement global is not in the kernel language
    COUNTER = 1


@refused(A)
def import_statement(x):
    import math  # error 5: the statement import is not in the kernel language ~ top of the file


@refused(A)
def class_statement(x):
    class Inner:  # error 5: the statement class is not in the kernel language
        pass


@refused(A)
def list_display(x):
    v = [1, 2]  # error 9: a list is not in the kernel language ~ tuple


@refused(A)
def dict_display(x):
    v = {1: 2}  # error 9: a dict is not in the kernel language


@refused(A)
def list_comprehension(x):
    v = [i for i in range(3)]  # error 9: a list comprehension is not in the kernel language


@refused(A)
def generator_expression(x):
    x[0] = sum(v for v in (1, 2))  # error 15: a generator expression is not in the kernel language


@refused(A)
async def async_kernel(x):  # error 1: the async function async_kernel is not ~ write def
    x[0] = 1.0


@refused(A)
def yield_expression(x):
    yield x[0]  # error 5: yield is not in the kernel language


@refused(A)
def nonlocal_inner_function(x):
    total = 0.0

    def add(v):
        nonlocal total  # error 9: an inner function cannot assign variables of the outer one
        total += v

    add(x[0])


@refused(A)
def complex_literal(x):
    x[0] = 1j  # error 12: complex literals are not in the language


@refused(A)
def class_pattern(x):
    match x[0]:
        case float():  # error 14: this pattern is not in the language ~ match constants
            x[0] = 1


@refused(A)
def format_specification_of_another_type(x):
    print(f"{x[0]:x}")  # error 11 (3.12: 13): format 'x' of f32: Unknown format code 'x'


@refused(A)
def format_specification_of_the_run(x):
    for n in range(3):
        print(f"{x[0]:.{n}f}")  # error 15 (3.12: 21): a format specification has constants in it


@refused(A)
def format_specification_of_a_tuple(x):
    print(f"{x.shape:>8}")  # error 11 (3.12: 13): a format specification of a tuple ~ one by one


@refused(A)
def print_an_array(x):
    print(x)  # error 5: an array of f32 with 1 axes cannot be printed ~ one by one


@refused(A)
def print_without_end(x):
    print(x[0], end="")  # error 5: print in a kernel ends its line


@refused(A)
def wrong_annotation(x):
    v: str = "a"  # error 8: str is no type of the language


@refused(A)
def annotation_against_value(x):
    n: int = x[0]  # error 5: variable n has type i32, the value f32 is a float: needs a cast


@refused(A)
def is_of_numbers(x):
    x[0] = 1.0 if x[0] is x[1] else 0.0  # error 19: `is` of f32 and f32 ~ use ==


# Structs


@refused(A)
def missing_field(x):
    p = Point(x[0])  # error 9: Point needs a value for y


@refused(A)
def unknown_field(x):
    p = Point(x[0], z=1.0)  # error 9: Point has no field z


@refused(A)
def read_unknown_field(x):
    p = Point(x[0], 1.0)
    x[0] = p.z  # error 12: Point has no attribute z; it has x, y


@refused(A)
def change_frozen(x):
    p = Frozen(x[0])
    p.x = 2.0  # error 5: Frozen is immutable ~ replace


@refused(A)
def change_named_tuple(x):
    p = Pair(1, x[0])
    p.b = 2.0  # error 5: Pair is immutable


@refused(A)
def change_shared_object(x):
    p = Point(x[0], 1.0)
    q = p
    q.x = 2.0  # error 5: another name may stand for the same object ~ replace
    x[0] = p.x


@refused(A)
def change_what_a_case_names(x):
    p = Point(x[0], 1.0)
    match (x[0] > 1, p):
        case (True, q):
            q.x = 2.0  # error 13: another name may stand for the same object ~ replace
    x[0] = p.x


@refused(A)
def change_what_a_walrus_names(x):
    p = Point(x[0], 1.0)
    if (q := p).x > 1:
        q.x = 2.0  # error 9: another name may stand for the same object ~ replace
    x[0] = p.x


@refused(A)
def change_what_a_loop_goes_over(x):
    p = Point(x[0], 1.0)
    for k, q in enumerate((p, p)):
        q.x = k  # error 9: another name may stand for the same object ~ replace
    x[0] = p.x


@refused(A)
def change_what_an_annotated_name_shares(x):
    p = Point(x[0], 1.0)
    q: Point = p
    q.x = 2.0  # error 5: another name may stand for the same object ~ replace
    x[0] = p.x


@refused(A)
def change_a_part_that_a_copy_shares(x):
    line = Line(Point(x[0], 1.0), 2.0)
    other = dataclasses.replace(line, width=3.0)
    other.start.x = 2.0  # error 5: another name may stand for the same object ~ replace
    x[0] = line.start.x


def with_number(p):
    return p, 1


@refused(A)
def change_what_comes_back_in_a_tuple(x):
    p = Point(x[0], 1.0)
    q, _ = with_number(p)
    q.x = 2.0  # error 5: q is what with_number was given
    x[0] = p.x


@refused(P)
def change_copy_of_an_element(points):
    p = points[0]
    p.x = 1.0  # error 5: p is the array element ~ points[i].x


def move(p):
    p.x = 1.0  # error 5: p is parameter p
    return p.x


@refused(A, inside=move)
def change_parameter(x):
    x[0] = move(Point(x[0], 1.0))


@refused(P)
def store_a_number_to_a_struct_array(points):
    points[0] = 1.0  # error 5: element of points is a Point, got 1.0


@refused(A)
def float_into_an_integer_field(x):
    p = Pair(x[0], 1.0)  # error 9: field a of Pair has type i32, the value f32 is a float


@refused(A)
def struct_without_an_operator(x):
    p = Point(x[0], 1.0) + Point(1.0, 2.0)  # error 9: operator + is not defined for Point and Point


@refused(A, ConstType("slow"))
def constant_used_as_number(x, mode):
    x[0] = mode * 2.0  # error 12: operator * needs numbers, got 'slow'


# Bits


@refused(A)
def popcount_of_another_language(x):
    x[0] = sw.popc(3)  # error 12: sw has no attribute popc ~ sw.popcount(x)


@refused(A)
def fence_of_another_language(x):
    sw.threadfence()  # error 5: sw has no attribute threadfence ~ order="acq_rel"


@refused(I)
def method_of_an_integer(x):
    x[0] = x[1].bit_count()  # error 12: i32 has no attribute bit_count ~ sw.popcount(x)


@refused(A)
def ones_of_a_float(x):
    x[0] = sw.popcount(x[1])  # error 12: sw.popcount of a float (f32) ~ sw.bitcast


@refused(I)
def bits_of_an_index(x):
    x[0] = sw.leading_zeros(sw.thread_id())  # error 12: an index, which has ~ sw.u32(i)


@refused(I)
def bits_of_a_bool(x):
    x[0] = sw.trailing_zeros(x[1] > 2)  # error 12: sw.trailing_zeros of a bool ~ sw.u32(p)


@refused(A)
def product_of_floats(x):
    x[0] = sw.multiply_high(x[1], 2)  # error 12: sw.multiply_high of a float (f32)


@refused(A)
def bits_of_another_width(x):
    x[0] = sw.bitcast(x[1], sw.u64)  # error 12: of f32 to u64, which has 64 bits ~ of 32 bits


@refused(A)
def bits_as_no_type(x):
    x[0] = sw.bitcast(x[1], 32)  # error 12: expected a number type, got 32 ~ sw.u32


# Text


@refused(I)
def text_of_a_number(x):
    assert x[0] > 1, "x is " + str(x[0])  # error 32: class str cannot be used ~ an f-string


@refused(I)
def text_by_the_operator(x):
    print("%d" % x[0])  # error 11: operator % needs numbers, got '%d' ~ an f-string


@refused(I)
def texts_by_the_operator(x):
    print("%d %d" % (x[0], x[1]))  # error 11: operator % is not defined for '%d %d' ~ an f-string


@refused(A)
def complex_number(x):
    x[0] = complex(1, x[1])  # error 12: class complex cannot be used ~ of two floats


@refused(sw.Array[np.dtype([("x", "f4"), ("y", "f4")], align=True), 1], A)
def operator_of_a_plain_struct(points, x):
    x[0] = (points[0] * 2).x  # error 13: operator * is not defined ~ sw.Array[Point, 1]


@refused(A)
def number_of_a_text(x):
    x[0] = float("abc")  # error 12: could not convert string to float: 'abc'


@refused(A)
def other_number_of_a_text(x):
    x[0] = sw.f32("1")  # error 12: cannot cast '1' to f32 ~ float("…")


@refused(I)
def text_in_another_base(x):
    print(hex(x[0]))  # error 11: hex cannot be called ~ {value:x}


@refused(I)
def arrays_in_turn(x):
    a, b = sw.shared(8, sw.i32), sw.shared(8, sw.i32)
    while x[0] > a[0]:
        a, b = b, a  # error 9: depending on the path taken ~ with an axis more


@refused(I)
def id_that_is_not_called(x):
    i = sw.thread_id
    x[i] = 1  # error 5: an index must be an integer, got the function thread_id ~ call it


# Tuples in arrays

RECORD = sw.Array[np.dtype([("at", "f4", (2,)), ("m", "f4", (2, 2))], align=True), 1]


@refused(RECORD)
def item_of_a_field_of_an_element(points):
    for k in range(2):
        points[0].at[k] = 2  # error 9: cannot assign to an item of a tuple ~ points[0].at = (…, …)


@refused(RECORD, A)
def two_indices_of_a_tuple(points, x):
    x[0] = points[0].m[1, 0]  # error 12: 2 indices of a tuple ~ points[0].m[1][0]


@refused(A)
def root_of_another_language(x):
    x[0] = math.rsqrt(x[0])  # error 12: math has no attribute rsqrt ~ write 1 / math.sqrt(x)


@refused(A)
def print_of_another_language(x):
    printf("%f", x[0])  # error 5: name printf is not defined ~ print(f"{x:.3f}")
