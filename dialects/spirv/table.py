"""The ops of the spirv dialect that are one instruction: one row each.

A row that says so is not upstream's (LLVM 19) but written in the same style.
"""

from __future__ import annotations

from ..traits import NO_TRAITS, READ_NOTHING
from .base import Row
from .table_glsl import GLSL_ROWS

SAME = "$* {} : R"
COMPARE = "$* {} : T0"
CAST = "$0 {} : T0 to R"


def _rows(format: str, types: str, meanings: dict[str, str]) -> dict[str, Row]:
    return {name: Row(meaning, format, types) for name, meaning in meanings.items()}


_INTEGER = {
    **_rows(
        SAME,
        "int:T T -> T",
        {
            "IAdd": "Integer sum, which wraps.",
            "ISub": "Integer difference, which wraps.",
            "IMul": "Integer product, which wraps.",
            "SDiv": "Signed quotient, towards zero.",
            "UDiv": "Unsigned quotient.",
            "SRem": "Signed remainder, with the sign of the dividend.",
            "SMod": "Signed remainder, with the sign of the divisor.",
            "UMod": "Unsigned remainder.",
            "BitwiseAnd": "Bitwise and.",
            "BitwiseOr": "Bitwise or.",
            "BitwiseXor": "Bitwise exclusive or.",
        },
    ),
    **_rows(
        SAME,
        "int:T -> T",
        {
            "SNegate": "The negative, which wraps.",
            "Not": "All bits flipped.",
            "BitCount": "The number of bits that are set; of 32 bits in Vulkan.",
            "BitReverse": "The bits in the other order; of 32 bits in Vulkan.",
        },
    ),
    **_rows(
        "$* {} : R",
        "int:T T -> {T,T}",
        {
            "IAddCarry": "The sum and the carry.",
            "ISubBorrow": "The difference and the borrow.",
            "SMulExtended": "The low and the high half of the signed product.",
            "UMulExtended": "The low and the high half of the unsigned product.",
        },
    ),
    **_rows(
        "$* {} : T0 , T1",
        "int:T int~T -> T",
        {
            "ShiftLeftLogical": "Shift to the left; undefined by the width or more.",
            "ShiftRightArithmetic": "Shift to the right, filling with the sign.",
            "ShiftRightLogical": "Shift to the right, filling with zeros.",
        },
    ),
    **_rows(
        "$* {} : T0 , T1 , T2",
        "int:T int. int. -> T",
        {
            "BitFieldSExtract": "The bits from an offset, so many, with the sign of the highest.",
            "BitFieldUExtract": "The bits from an offset, so many.",
        },
    ),
    "BitFieldInsert": Row(
        "Bits from an offset, so many, replaced by the low ones of another value.",
        "$* {} : T0 , T2 , T3",
        "int:T T int. int. -> T",
    ),
}

_FLOAT = {
    **_rows(
        SAME,
        "float:T T -> T",
        {
            "FAdd": "Float sum.",
            "FSub": "Float difference.",
            "FMul": "Float product.",
            "FDiv": "Float quotient.",
            "FRem": "Float remainder, with the sign of the dividend.",
            "FMod": "Float remainder, with the sign of the divisor.",
        },
    ),
    "FNegate": Row("The value with its sign bit flipped.", SAME, "float:T -> T"),
    "Dot": Row("The sum of the products.", "$* {} : T0 -> R", "float:T T -> T."),
    "VectorTimesScalar": Row("Each element times a float.", "$* {} : F", "float:T T. -> T"),
}

_LOGICAL = {
    **_rows(
        COMPARE,
        "int:T T -> bool~T",
        {
            "SGreaterThan": "Signed >.",
            "SGreaterThanEqual": "Signed >=.",
            "SLessThan": "Signed <.",
            "SLessThanEqual": "Signed <=.",
            "UGreaterThan": "Unsigned >.",
            "UGreaterThanEqual": "Unsigned >=.",
            "ULessThan": "Unsigned <.",
            "ULessThanEqual": "Unsigned <=.",
            "IEqual": "Integers are equal.",
            "INotEqual": "Integers differ.",
        },
    ),
    **_rows(
        COMPARE,
        "float:T T -> bool~T",
        {
            f"F{order}{predicate}": f"{predicate}; {outcome} if one is NaN."
            for order, outcome in (("Ord", "false"), ("Unord", "true"))
            for predicate in (
                *("Equal", "NotEqual", "LessThan", "GreaterThan"),
                *("LessThanEqual", "GreaterThanEqual"),
            )
        },
    ),
    **_rows(
        COMPARE,
        "float:T T -> bool~T",
        {"Ordered": "None is NaN. Needs Kernel.", "Unordered": "One is NaN. Needs Kernel."},
    ),
    **_rows(
        COMPARE,
        "float:T -> bool~T",
        {"IsNan": "The value is NaN.", "IsInf": "The value is infinite."},
    ),
    **_rows(
        SAME,
        "bool:T T -> T",
        {
            "LogicalAnd": "Both hold.",
            "LogicalOr": "One holds.",
            "LogicalEqual": "Both or none hold.",
            "LogicalNotEqual": "Exactly one holds.",
        },
    ),
    "LogicalNot": Row("It does not hold.", SAME, "bool:T -> T"),
    "Any": Row("One element holds. Not upstream's.", COMPARE, "bool:T -> bool."),
    "All": Row("All elements hold. Not upstream's.", COMPARE, "bool:T -> bool."),
    "Select": Row(
        "The second where the condition holds, else the third.",
        "$* {} : T0 , T1",
        "bool any:T T -> T",
    ),
}

_CAST = {
    "ConvertFToS": Row("Float to signed integer, towards zero.", CAST, "float:T -> int~T"),
    "ConvertFToU": Row("Float to unsigned integer, towards zero.", CAST, "float:T -> int~T"),
    "ConvertSToF": Row("Signed integer to float.", CAST, "int:T -> float~T"),
    "ConvertUToF": Row("Unsigned integer to float.", CAST, "int:T -> float~T"),
    "SConvert": Row("Integer of another width, with the sign.", CAST, "int:T -> int~T"),
    "UConvert": Row("Integer of another width, filled with zeros.", CAST, "int:T -> int~T"),
    "FConvert": Row("Float of another width.", CAST, "float:T -> float~T"),
    "QuantizeToF16": Row(
        "The f32 with the precision of f16. Not upstream's.", SAME, "float:T -> T"
    ),
    "Bitcast": Row("The same bits as another type.", CAST, "any -> any"),
    "ConvertPtrToU": Row("The address as a number.", CAST, "ptr -> int."),
    "ConvertUToPtr": Row("The number as an address.", CAST, "int. -> ptr"),
    "PtrCastToGeneric": Row("The pointer into class Generic. Needs Kernel.", CAST, "ptr -> ptr"),
    "GenericCastToPtr": Row("The pointer out of class Generic. Needs Kernel.", CAST, "ptr -> ptr"),
}

_COMPOSITE = {
    "VectorExtractDynamic": Row(
        "The element at an index known at run time.",
        "$0 [ $1 ] {} : T0 , T1",
        "vector:T int. -> T.",
    ),
    "VectorInsertDynamic": Row(
        "The vector with the element at an index replaced. Operands: value, vector, index.",
        "$0 , $1 [ $2 ] {} : T1 , T2",
        "T. vector:T int. -> T",
        words="$1 $0 $2",
    ),
    "Transpose": Row("Rows as columns.", "$0 {} : T0 -> R", "matrix -> matrix"),
    "MatrixTimesScalar": Row("Each element times a float.", "$* {} : T0 , T1", "any:T float. -> T"),
    "MatrixTimesMatrix": Row("The product.", "$* {} : T0 , T1 -> R", "matrix matrix -> matrix"),
    "MatrixTimesVector": Row(
        "The product. Upstream's since LLVM 20.", "$* {} : T0 , T1 -> R", "matrix vector -> vector"
    ),
    "VectorTimesMatrix": Row(
        "The product. Upstream's since LLVM 20.", "$* {} : T0 , T1 -> R", "vector matrix -> vector"
    ),
    "CopyObject": Row("The value. Not upstream's.", SAME, "any:T -> T"),
    "CopyLogical": Row(
        "The value as another type of the same members. Not upstream's.", CAST, "any -> any"
    ),
}

# --- atomics --------------------------------------------------------------------------------------

_ATOMIC = "<memory_scope> <semantics> $* {} : T0"
_ATOMIC_WORDS = "$0 @memory_scope @semantics $1*"


def _atomics(types: str, meanings: dict[str, str]) -> dict[str, Row]:
    return {
        name: Row(f"{meaning} The result is what was there.", _ATOMIC, types, NO_TRAITS, words)
        for name, meaning in meanings.items()
        for words in (_ATOMIC_WORDS,)
    }


_ATOMICS = {
    **_atomics(
        "ptr:P P* -> P*",
        {
            "AtomicExchange": "Replaces the value.",
            "AtomicIAdd": "Adds.",
            "AtomicISub": "Subtracts.",
            "AtomicSMin": "The signed minimum.",
            "AtomicSMax": "The signed maximum.",
            "AtomicUMin": "The unsigned minimum.",
            "AtomicUMax": "The unsigned maximum.",
            "AtomicAnd": "Bitwise and.",
            "AtomicOr": "Bitwise or.",
            "AtomicXor": "Bitwise exclusive or.",
            "EXT.AtomicFAdd": "Adds floats.",
            "EXT.AtomicFMin": "The float minimum. Not upstream's.",
            "EXT.AtomicFMax": "The float maximum. Not upstream's.",
        },
    ),
    **_atomics(
        "ptr:P -> P*", {"AtomicIIncrement": "Adds one.", "AtomicIDecrement": "Subtracts one."}
    ),
    **{
        name: Row(
            f"Stores the value if the comparator (the last operand) is there{more}.",
            "<memory_scope> <equal_semantics> <unequal_semantics> $* {} : T0",
            "ptr:P P* P* -> P*",
            NO_TRAITS,
            "$0 @memory_scope @equal_semantics @unequal_semantics $1 $2",
        )
        for name, more in (
            ("AtomicCompareExchange", ""),
            ("AtomicCompareExchangeWeak", "; may fail for no reason. Needs Kernel"),
        )
    },
    "AtomicLoad": Row(
        "Loads. Not upstream's.",
        _ATOMIC,
        "ptr:P -> P*",
        NO_TRAITS,
        _ATOMIC_WORDS,
    ),
    "AtomicStore": Row(
        "Stores. Not upstream's.",
        _ATOMIC,
        "ptr:P P* ->",
        NO_TRAITS,
        _ATOMIC_WORDS,
    ),
}

_BARRIERS = {
    "ControlBarrier": Row(
        "All invocations of the scope wait for each other.",
        "<execution_scope> , <memory_scope> , <memory_semantics> {}",
        "->",
        NO_TRAITS,
        "@execution_scope @memory_scope @memory_semantics",
    ),
    "MemoryBarrier": Row(
        "Orders memory.",
        "<memory_scope> , <memory_semantics> {}",
        "->",
        NO_TRAITS,
        "@memory_scope @memory_semantics",
    ),
}

# --- groups ---------------------------------------------------------------------------------------


def _arithmetic(types: str, names: tuple[str, ...]) -> dict[str, Row]:
    return {
        f"GroupNonUniform{name}": Row(
            f"{name} over the active invocations: reduced, scanned, or in clusters.",
            "'execution_scope' 'group_operation' $0 (? cluster_size ( $1 ) ?) {} : R",
            types,
            READ_NOTHING,
            "@execution_scope =group_operation $*",
            constants=(1,),
        )
        for name in names
    }


def _subgroup(meaning: str, format: str, types: str, constants: tuple[int, ...] = ()) -> Row:
    words = "@execution_scope $*"
    return Row(
        meaning, f"<execution_scope> {format}", types, READ_NOTHING, words, constants=constants
    )


def _count(meaning: str) -> Row:
    return Row(
        meaning,
        "<execution_scope> <group_operation> $0 {} : T0 -> R",
        "int:B -> int.",
        READ_NOTHING,
        "@execution_scope =group_operation $0",
    )


_GROUPS = {
    **_arithmetic("int:T i32? -> T", ("IAdd", "IMul", "SMin", "UMin", "SMax", "UMax")),
    **_arithmetic("float:T i32? -> T", ("FAdd", "FMul", "FMin", "FMax")),
    **_arithmetic("int:T i32? -> T", ("BitwiseAnd", "BitwiseOr", "BitwiseXor")),
    **_arithmetic("bool:T i32? -> T", ("LogicalAnd", "LogicalOr", "LogicalXor")),
    "GroupNonUniformElect": _subgroup("True in one invocation.", "{} : R", "-> bool."),
    "GroupNonUniformAll": _subgroup(
        "The predicate holds in all. Not upstream's.", "$0 {} : R", "bool. -> bool."
    ),
    "GroupNonUniformAny": _subgroup(
        "The predicate holds in one. Not upstream's.", "$0 {} : R", "bool. -> bool."
    ),
    "GroupNonUniformAllEqual": _subgroup(
        "All have the same value. Not upstream's.", "$0 {} : T0 -> R", "value -> bool."
    ),
    "GroupNonUniformBallot": _subgroup(
        "The predicate of each invocation, as bits.", "$0 {} : R", "bool. -> int"
    ),
    "GroupNonUniformInverseBallot": _subgroup(
        "The own bit of a ballot. Not upstream's.", "$0 {} : T0 -> R", "int -> bool."
    ),
    "GroupNonUniformBallotBitExtract": _subgroup(
        "A bit of a ballot. Not upstream's.", "$* {} : T0 , T1 -> R", "int int. -> bool."
    ),
    "GroupNonUniformBallotBitCount": _count(
        "The bits of a ballot, reduced or scanned. Upstream's since LLVM 20."
    ),
    "GroupNonUniformBallotFindLSB": _subgroup(
        "The lowest bit of a ballot. Upstream's since LLVM 20.", "$0 {} : T0 , R", "int -> int."
    ),
    "GroupNonUniformBallotFindMSB": _subgroup(
        "The highest bit of a ballot. Upstream's since LLVM 20.", "$0 {} : T0 , R", "int -> int."
    ),
    "GroupNonUniformBroadcast": _subgroup(
        "The value of one invocation; its id is a constant before SPIR-V 1.5.",
        "$* {} : T0 , T1",
        "value:T int. -> T",
    ),
    "GroupNonUniformBroadcastFirst": _subgroup(
        "The value of the first active invocation. Not upstream's.", "$0 {} : R", "value:T -> T"
    ),
    **{
        f"GroupNonUniform{name}": _subgroup(meaning, "$* {} : T0 , T1", "value:T int. -> T")
        for name, meaning in (
            ("Shuffle", "The value of the invocation of an id."),
            ("ShuffleXor", "The value of the invocation whose id differs by a mask."),
            ("ShuffleUp", "The value of the invocation so much before."),
            ("ShuffleDown", "The value of the invocation so much after."),
        )
    },
    "GroupNonUniformQuadBroadcast": _subgroup(
        "The value of one of four invocations. Not upstream's.",
        "$* {} : T0 , T1",
        "value:T int. -> T",
        (1,),
    ),
    "GroupNonUniformQuadSwap": _subgroup(
        "The value of another of four invocations. Not upstream's.",
        "$* {} : T0 , T1",
        "value:T int. -> T",
        (1,),
    ),
    "GroupNonUniformRotateKHR": Row(
        "The value of the invocation so much after, around the end. Upstream's since LLVM 20.",
        "<execution_scope> , $0 , $1 (? , cluster_size ( $2 ) ?) {} : T0 , T1 -> R",
        "value:T int. i32? -> T",
        READ_NOTHING,
        "@execution_scope $*",
        constants=(2,),
    ),
    "KHR.SubgroupBallot": Row(
        "The predicate of each invocation of the subgroup, as bits.",
        "$0 {} : R",
        "bool. -> int",
        READ_NOTHING,
    ),
    **{
        f"KHR.Subgroup{name}": Row(f"{meaning} Not upstream's.", form, types, READ_NOTHING)
        for name, meaning, form, types in (
            ("All", "The predicate holds in all.", "$0 {} : R", "bool. -> bool."),
            ("Any", "The predicate holds in one.", "$0 {} : R", "bool. -> bool."),
            ("AllEqual", "The predicate is the same in all.", "$0 {} : R", "bool. -> bool."),
            ("FirstInvocation", "The value of the first.", "$0 {} : R", "value:T -> T"),
            (
                "ReadInvocation",
                "The value of the invocation of an id.",
                "$* {} : T0 , T1",
                "value:T int. -> T",
            ),
        )
    },
}

_DOT = {
    **{
        name: Row(
            f"The {words} product of vectors of integers, or of i32 that hold four i8.",
            "$0 , $1 (? , <format> ?) {} : T0 -> R",
            "int:T T -> int.",
            words="$* =format",
            optional=("format",),
        )
        for name, words in (
            ("SDot", "signed"),
            ("UDot", "unsigned"),
            ("SUDot", "signed and unsigned"),
        )
    },
    **{
        f"{name}AccSat": Row(
            f"The {words} product, added to the last operand with saturation.",
            "$0 , $1 , $2 (? , <format> ?) {} : T0 -> R",
            "int:T T A -> int.:A",
            words="$* =format",
            optional=("format",),
        )
        for name, words in (
            ("SDot", "signed"),
            ("UDot", "unsigned"),
            ("SUDot", "signed and unsigned"),
        )
    },
}

_MATRIX_UNITS = {
    "KHR.CooperativeMatrixMulAdd": Row(
        "A times B plus C.",
        "$0 , $1 , $2 (? , <matrix_operands> ?) {} : T0 , T1 -> R",
        "coop coop C -> coop:C",
        words="$* =matrix_operands",
        optional=("matrix_operands",),
    ),
}

_MISC = {
    "KHR.AssumeTrue": Row("Promises that a condition holds.", "$0 {}", "bool. ->", NO_TRAITS),
}

ROWS: dict[str, Row] = {
    **_INTEGER,
    **_FLOAT,
    **_LOGICAL,
    **_CAST,
    **_COMPOSITE,
    **_ATOMICS,
    **_BARRIERS,
    **_GROUPS,
    **_DOT,
    **_MATRIX_UNITS,
    **_MISC,
    **GLSL_ROWS,
}
"""All rows, by the name of the op without the dialect's."""
