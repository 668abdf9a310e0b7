"""An artifact: machine code or text of one kernel for one target, and all that a launch must know.

A `.swa` file holds one or more artifacts:

    magic 8 bytes | format u32 | CRC-32 of all that follows u32 | index length u64
    index: JSON {"artifacts": [{"manifest": …, "offset": …, "size": …}, …]}
    payloads, one after the other; offsets count from the end of the index

The checksum finds damage, it is no defence against forgery: a payload is machine code, so load only
files that you would also run. The classes are named tuples rather than dataclasses because a
process that finds everything in its cache should not wait for class decorators.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .errors import ArtifactError

MAGIC = b"stepwell"
TENSOR_MAP_SLOTS = 16
FORMAT = 2  # code for CPUs is of single blocks, in files of format 1 it was of all of a launch
_HEADER = struct.Struct("<8sIIQ")


class ArgumentPart(NamedTuple):
    """What of the Python call a parameter is: argument, path of fields, offset in bytes."""

    argument: int
    path: tuple[str | int, ...] = ()
    offset: int = 0


class Parameter(NamedTuple):
    """One parameter of the kernel; `kind` is "scalar", "buffer" or "tensor_map".

    For a buffer, `sizes` and `strides` hold None where dynamic; `strides` (in elements) is None for
    a contiguous buffer. `alignment` (in bytes) is what the code relies on beyond that of the
    elements, 0 for nothing. A tensor map is passed by value: the 128 bytes of a CUtensorMap, at a
    multiple of 64 bytes, for boxes of `sizes` (outermost first) with that `swizzle` in bytes."""

    name: str
    kind: str
    dtype: str
    rank: int = 0
    sizes: tuple[int | None, ...] = ()
    strides: tuple[int | None, ...] | None = None
    writes: bool = False
    source: ArgumentPart = ArgumentPart(0)
    alignment: int = 0
    swizzle: int = 0

    @property
    def slots(self) -> int:
        """Words of 8 bytes that it takes among packed arguments."""
        if self.kind == "tensor_map":
            return TENSOR_MAP_SLOTS
        return 1 + self.sizes.count(None) + (self.strides or ()).count(None)


class Site(NamedTuple):
    """A place of the source that can report; `kind` is "print" or the kind of a failed check."""

    kind: str
    message: str
    formats: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    column: int = 0
    function: str = ""


FACTS = ("small", "disjoint", "sizes", "streams")


class Form(NamedTuple):
    """The kind of launch that code is for: `over` items of a rank, or a grid of blocks.

    Blocks of a grid have at most `block_rank` dimensions that are not 1. `small`, `disjoint` and
    `sizes` are facts about the launch that the code relies on (see `runtime/facts.py`); with
    `streams` it is made for launches that write more than caches hold.
    """

    over: int | None = None
    block_rank: int = 3
    small: bool = False
    disjoint: bool = False
    sizes: bool = False
    streams: bool = False

    def __str__(self) -> str:
        facts = "".join(f", {name}" for name in FACTS if getattr(self, name))
        if self.over is not None:
            return f"over() of rank {self.over}{facts}"
        blocks = "" if self.block_rank == 3 else f" of {self.block_rank}-D blocks"
        return f"launch(){blocks}{facts}"


class Manifest(NamedTuple):
    """Everything a device and the packing of arguments must know about an artifact.

    `shared_arrays` gives name and bytes of each array in static shared memory. `abi` says how a
    target with several ways takes buffers ("bda" or "bindings" on Vulkan), or that NVIDIA code is a
    "cubin", `block_in_memory` that
    its parameter block is too big to be pushed. `most_threads` is how many threads of a block the
    code has room for, 0 where only the device limits it. `any_block`: threads cannot tell how they
    are put into blocks. `whole_subgroups`: blocks are multiples of
    `subgroup_size`. `cluster` are the blocks of x, y and z that run together, of which the grid has
    to be a multiple. `sizes` are what the code needs of arrays and grids: rows as in `gpux.sizes`.
    """

    name: str
    target: str
    entry: str
    parameters: tuple[Parameter, ...] = ()
    triple: str = ""
    cpu: str = ""
    features: tuple[str, ...] = ()
    over: int | None = None
    block_rank: int = 3
    axes_used: int = 0
    known_block: tuple[int, int, int] | None = None
    cluster: tuple[int, int, int] | None = None
    most_threads: int = 0
    static_shared_bytes: int = 0
    shared_arrays: tuple[tuple[str, int], ...] = ()
    uses_barrier: bool = False
    any_block: bool = False
    uses_subgroups: bool = False
    whole_subgroups: bool = False
    subgroup_size: int = 1
    has_report: bool = False
    sites: tuple[Site, ...] = ()
    abi: str = ""
    block_in_memory: bool = False
    ir_hash: str = ""
    small: bool = False
    disjoint: bool = False
    sizes: tuple[tuple[int, ...], ...] = ()
    streams: bool = False
    versions: Mapping[str, str] = MappingProxyType({})

    @property
    def form(self) -> Form:
        """The kind of launch that the code is for."""
        sizes = bool(self.sizes)
        return Form(self.over, self.block_rank, self.small, self.disjoint, sizes, self.streams)

    @property
    def needs(self) -> tuple[str, ...]:
        """The features that must be there; the others of `features` are only switched off."""
        return tuple(name.removeprefix("+") for name in self.features if name[:1] != "-")

    @property
    def machine(self) -> str:
        """What the code is for, as text for a message: "cpu (x86-64-v3)"."""
        name = self.triple.partition("-")[0] if self.cpu in ("", "generic") else self.cpu
        return f"{self.target} ({name})" if name else self.target

    @property
    def prints(self) -> bool:
        """Whether a site of the kernel prints."""
        return any(site.kind == "print" for site in self.sites)

    def to_json(self) -> dict[str, Any]:
        """As plain dicts, lists and scalars."""
        plain = self._asdict()
        plain["parameters"] = [_parameter_json(parameter) for parameter in self.parameters]
        plain["sites"] = [site._asdict() for site in self.sites]
        plain["versions"] = dict(self.versions)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Manifest:
        """The inverse of `to_json`; keys that this version does not know are ignored."""
        fields = _known(cls, plain)
        fields["parameters"] = tuple(_parameter(row) for row in plain.get("parameters", ()))
        fields["sites"] = tuple(_site(row) for row in plain.get("sites", ()))
        fields["features"] = tuple(plain.get("features", ()))
        fields["sizes"] = tuple(tuple(row) for row in plain.get("sizes", ()))
        arrays = plain.get("shared_arrays", ())
        fields["shared_arrays"] = tuple((name, nbytes) for name, nbytes in arrays)
        for name in ("known_block", "cluster"):
            if plain.get(name) is not None:
                fields[name] = tuple(plain[name])
        return cls(**fields)


class Artifact(NamedTuple):
    """A manifest and its payload: object code, PTX, SPIR-V words or text."""

    manifest: Manifest
    payload: bytes

    def to_bytes(self) -> bytes:
        """The file as bytes."""
        return Bundle((self,)).to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, origin: str = "the artifact") -> Artifact:
        """The only artifact of a file's bytes; ArtifactError if damaged or not exactly one."""
        return Bundle.from_bytes(data, origin).only()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.swa` file, whole or not at all."""
        Bundle((self,)).save(path)


class Bundle(NamedTuple):
    """Several artifacts in one file: the same kernel for several targets, or several kernels."""

    artifacts: tuple[Artifact, ...]

    def to_bytes(self) -> bytes:
        """The file as bytes."""
        import json

        rows: list[dict[str, Any]] = []
        offset = 0
        for artifact in self.artifacts:
            size = len(artifact.payload)
            manifest = artifact.manifest.to_json()
            rows.append({"manifest": manifest, "offset": offset, "size": size})
            offset += size
        index = json.dumps({"artifacts": rows}, separators=(",", ":")).encode()
        body = index + b"".join(artifact.payload for artifact in self.artifacts)
        return _HEADER.pack(MAGIC, FORMAT, zlib.crc32(body), len(index)) + body

    @classmethod
    def from_bytes(cls, data: bytes, origin: str = "the artifact") -> Bundle:
        """Read a file's bytes; ArtifactError says what is wrong with them."""
        import json

        index, body = _checked(data, origin)
        try:
            rows = json.loads(index)["artifacts"]
            return cls(tuple(_artifact(row, body) for row in rows))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{origin} is damaged: its index is wrong ({error!r})") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.swa` file, whole or not at all; ArtifactError if it cannot be written."""
        try:
            write_atomically(path, self.to_bytes())
        except OSError as error:
            raise ArtifactError(f"cannot write {os.fspath(path)}: {error.strerror}") from error

    def only(self) -> Artifact:
        """The single artifact; ArtifactError if there are several."""
        if len(self.artifacts) != 1:
            raise ArtifactError(
                f"expected one artifact, got {len(self.artifacts)} ({self.summary()}); "
                "choose one with select()"
            )
        return self.artifacts[0]

    def select(
        self,
        target: str | None = None,
        name: str | None = None,
        accepts: Callable[[Manifest], bool] | None = None,
    ) -> Artifact:
        """The artifact for `target` and kernel `name` that `accepts` takes: the best of them."""
        found = [
            artifact
            for artifact in self.artifacts
            if target in (None, artifact.manifest.target) and name in (None, artifact.manifest.name)
        ]
        usable = [a for a in found if accepts is None or accepts(a.manifest)]
        if not usable:
            wanted = " ".join(part for part in (name, target and f"for {target}") if part)
            why = "none of them runs on this machine" if found else f"it holds {self.summary()}"
            raise ArtifactError(f"no artifact {wanted}: {why}; compile it for this target")
        return best(usable)

    def summary(self) -> str:
        """The kernels and targets, as text for a message."""
        names = (f"{a.manifest.name} for {a.manifest.machine}" for a in self.artifacts)
        return ", ".join(dict.fromkeys(names)) or "nothing"


def best(artifacts: Sequence[Artifact]) -> Artifact:
    """Of code that a device accepts, what makes use of the most features; of equals the first."""
    return max(artifacts, key=lambda artifact: len(artifact.manifest.needs))


def load(path: str | os.PathLike[str]) -> Bundle:
    """Read a `.swa` file; ArtifactError if it is absent, damaged, foreign or too new."""
    try:
        with open(path, "rb") as file:  # pathlib takes 10 ms to import
            data = file.read()
    except OSError as error:
        raise ArtifactError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
    return Bundle.from_bytes(data, os.fspath(path))


def merge(parts: Iterable[Artifact | Bundle]) -> Bundle:
    """One bundle of all parts; of two for the same signature and machine the later stays."""
    merged: dict[object, Artifact] = {}
    for part in parts:
        for artifact in part.artifacts if isinstance(part, Bundle) else (part,):
            manifest = artifact.manifest
            signature = (manifest.parameters, manifest.form, manifest.known_block)
            abi, features = manifest.abi, manifest.features
            machine = (manifest.target, manifest.triple, manifest.cpu, abi, features)
            merged[manifest.name, signature, machine] = artifact
    return Bundle(tuple(merged.values()))


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that others see the old one or the new one, never a part; OSError if not."""
    final = os.fspath(path)
    temporary = f"{final}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, final)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _checked(data: bytes, origin: str) -> tuple[bytes, bytes]:
    if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
        if data[: len(MAGIC)] == MAGIC[: len(data)]:
            raise ArtifactError(f"{origin} is damaged: only {len(data)} bytes of it are there")
        raise ArtifactError(f"{origin} is not a stepwell artifact: it starts with {data[:8]!r}")
    _, version, checksum, length = _HEADER.unpack_from(data)
    if version > FORMAT:
        raise ArtifactError(
            f"{origin} was written by a newer stepwell (format {version}, this one reads up to "
            f"{FORMAT}); upgrade stepwell or compile the kernel again"
        )
    if version < FORMAT:
        raise ArtifactError(
            f"{origin} was written by an older stepwell (format {version}, this one reads "
            f"{FORMAT}); compile the kernel again"
        )
    body = data[_HEADER.size :]
    if zlib.crc32(body) != checksum or length > len(body):
        raise ArtifactError(f"{origin} is damaged: its checksum is wrong; compile the kernel again")
    return body[:length], body[length:]


def _artifact(row: Mapping[str, Any], body: bytes) -> Artifact:
    offset, size = row["offset"], row["size"]
    if not 0 <= offset <= offset + size <= len(body):
        raise ValueError(f"a payload of {size} bytes at {offset} is outside the file")
    return Artifact(Manifest.from_json(row["manifest"]), body[offset : offset + size])


def _known(cls: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain[name] for name in cls._fields if name in plain}


def _parameter_json(parameter: Parameter) -> dict[str, Any]:
    return {**parameter._asdict(), "source": parameter.source._asdict()}


def _parameter(plain: Mapping[str, Any]) -> Parameter:
    fields = _known(Parameter, plain)
    fields["sizes"] = tuple(plain.get("sizes", ()))
    if plain.get("strides") is not None:
        fields["strides"] = tuple(plain["strides"])
    if "source" in plain:
        source = plain["source"]
        fields["source"] = ArgumentPart(source["argument"], tuple(source["path"]), source["offset"])
    return Parameter(**fields)


def _site(plain: Mapping[str, Any]) -> Site:
    fields = _known(Site, plain)
    fields["formats"] = tuple(plain.get("formats", ()))
    return Site(**fields)
