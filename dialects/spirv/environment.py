"""Attributes of modules and targets: what is needed, what is there, how a kernel is called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr
from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition

from .attributes import LinkageTypeAttr
from .grammar import enumeration

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


class Vce(NamedTuple):
    """Version, capabilities and extensions."""

    version: tuple[int, int]
    capabilities: tuple[str, ...]
    extensions: tuple[str, ...]


@irdl_attr_definition
class VceAttr(Data[Vce]):
    """`#spirv.vce<v1.3, [Shader], [SPV_KHR_vulkan_memory_model]>`: what a module needs."""

    name = "spirv.vce"

    @classmethod
    def of(
        cls, version: tuple[int, int], capabilities: Iterable[str], extensions: Iterable[str] = ()
    ) -> VceAttr:
        """From version (major, minor), capabilities and extensions."""
        return cls(Vce(version, tuple(capabilities), tuple(extensions)))

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Vce:
        def words(kind: str) -> tuple[str, ...]:
            parser.parse_punctuation(",")
            found = parser.parse_comma_separated_list(
                parser.Delimiter.SQUARE, parser.parse_identifier
            )
            if kind:
                for word in found:
                    if word not in enumeration(kind).by_name:
                        parser.raise_error(f"{word!r} is not a {kind} of SPIR-V")
            return tuple(found)

        with parser.in_angle_brackets():
            start = parser.pos
            text = parser.parse_identifier()
            major, dot, minor = text.removeprefix("v").partition(".")
            if text[:1] != "v" or not dot or not major.isdigit() or not minor.isdigit():
                parser.raise_error(f"expected a version such as v1.3, got {text!r}", start)
            return Vce((int(major), int(minor)), words("Capability"), words(""))

    def print_parameter(self, printer: Printer) -> None:
        version, capabilities, extensions = self.data
        printer.print_string(
            f"<v{version[0]}.{version[1]}, [{', '.join(capabilities)}], [{', '.join(extensions)}]>"
        )


@irdl_attr_definition
class ResourceLimitsAttr(Data[DictionaryAttr]):
    """`#spirv.resource_limits<subgroup_size = 64>`: of a device."""

    name = "spirv.resource_limits"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> DictionaryAttr:
        def entry() -> tuple[str, Attribute]:
            name = parser.parse_identifier()
            parser.parse_punctuation("=")
            return name, parser.parse_attribute()

        rows = parser.parse_comma_separated_list(parser.Delimiter.ANGLE, entry)
        return DictionaryAttr(dict(rows))

    def print_parameter(self, printer: Printer) -> None:
        def entry(row: tuple[str, Attribute]) -> None:
            printer.print_string(f"{row[0]} = ")
            if isinstance(row[1], IntegerAttr):
                printer.print_string(str(row[1].value.data))
            else:
                printer.print_attribute(row[1])

        with printer.in_angle_brackets():
            printer.print_list(self.data.data.items(), entry)


class TargetEnv(NamedTuple):
    """What a target has; empty words are not given."""

    vce: VceAttr
    api: str = ""
    device: tuple[str, ...] = ()
    limits: ResourceLimitsAttr = ResourceLimitsAttr(DictionaryAttr({}))


@irdl_attr_definition
class TargetEnvAttr(Data[TargetEnv]):
    """`#spirv.target_env<#spirv.vce<…>, api=Vulkan, NVIDIA:DiscreteGPU, #spirv.resource_limits<>>`.

    The device is vendor, type and number with `:` between them.
    """

    name = "spirv.target_env"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> TargetEnv:
        with parser.in_angle_brackets():
            start = parser.pos
            vce = parser.parse_attribute()
            if not isinstance(vce, VceAttr):
                parser.raise_error("expected #spirv.vce", start)
            parser.parse_punctuation(",")
            api = ""
            if parser.parse_optional_keyword("api") is not None:
                parser.parse_punctuation("=")
                api = parser.parse_identifier()
                parser.parse_punctuation(",")
            device: list[str] = []
            word = parser.parse_optional_identifier()
            while word is not None:
                device.append(word)
                colon = parser.parse_optional_punctuation(":")
                word = _word(parser) if colon is not None else None
            if device:
                parser.parse_punctuation(",")
            start = parser.pos
            limits = parser.parse_attribute()
            if not isinstance(limits, ResourceLimitsAttr):
                parser.raise_error("expected #spirv.resource_limits", start)
            return TargetEnv(vce, api, tuple(device), limits)

    def print_parameter(self, printer: Printer) -> None:
        vce, api, device, limits = self.data
        with printer.in_angle_brackets():
            printer.print_attribute(vce)
            printer.print_string(f", api={api}" if api else "")
            printer.print_string(f", {':'.join(device)}" if device else "")
            printer.print_string(", ")
            printer.print_attribute(limits)


def _word(parser: AttrParser) -> str:
    number = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
    return str(number) if number is not None else parser.parse_identifier()


@irdl_attr_definition
class LinkageAttributesAttr(Data[tuple[str, str]]):
    """`#spirv.linkage_attributes<linkage_name = "f", linkage_type = <Import>>`."""

    name = "spirv.linkage_attributes"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[str, str]:
        with parser.in_angle_brackets():
            parser.parse_keyword("linkage_name")
            parser.parse_punctuation("=")
            name = parser.parse_optional_str_literal()
            if name is None:
                name = parser.parse_identifier()
            parser.parse_punctuation(",")
            parser.parse_keyword("linkage_type")
            parser.parse_punctuation("=")
            return name, LinkageTypeAttr.parse_parameter(parser)

    def print_parameter(self, printer: Printer) -> None:
        name, kind = self.data
        printer.print_string("<linkage_name = ")
        printer.print_string_literal(name)
        printer.print_string(f", linkage_type = <{kind}>>")


@irdl_attr_definition
class EntryPointAbiAttr(Data[tuple[tuple[str, tuple[int, ...]], ...]]):
    """`#spirv.entry_point_abi<workgroup_size = [32, 1, 1], subgroup_size = 32>`."""

    name = "spirv.entry_point_abi"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[str, tuple[int, ...]], ...]:
        def entry() -> tuple[str, tuple[int, ...]]:
            name = parser.parse_identifier()
            parser.parse_punctuation("=")
            if name == "workgroup_size":
                sizes = parser.parse_comma_separated_list(
                    parser.Delimiter.SQUARE, parser.parse_integer
                )
                return name, tuple(sizes)
            return name, (parser.parse_integer(),)

        return tuple(parser.parse_comma_separated_list(parser.Delimiter.ANGLE, entry))

    def print_parameter(self, printer: Printer) -> None:
        rows = (
            f"{name} = {list(values) if name == 'workgroup_size' else values[0]}"
            for name, values in self.data
        )
        printer.print_string(f"<{', '.join(rows)}>")


@irdl_attr_definition
class InterfaceVarAbiAttr(Data[tuple[int, int, str]]):
    """`#spirv.interface_var_abi<(0, 1), StorageBuffer>`: descriptor set, binding, maybe a class."""

    name = "spirv.interface_var_abi"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, int, str]:
        with parser.in_angle_brackets():
            start = parser.pos
            numbers = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_integer
            )
            if len(numbers) != 2:
                parser.raise_error("expected a descriptor set and a binding", start)
            comma = parser.parse_optional_punctuation(",")
            storage = parser.parse_identifier() if comma is not None else ""
        return numbers[0], numbers[1], storage

    def print_parameter(self, printer: Printer) -> None:
        group, binding, storage = self.data
        printer.print_string(f"<({group}, {binding}){', ' + storage if storage else ''}>")


ATTRIBUTES: tuple[type[Attribute], ...] = (
    *(VceAttr, ResourceLimitsAttr, TargetEnvAttr),
    *(LinkageAttributesAttr, EntryPointAbiAttr, InterfaceVarAbiAttr),
)
