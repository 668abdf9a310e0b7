"""From the grid level to the shader level: what every shading language can say.

The shader level is the grid level without what Vulkan, WebGPU, Metal and D3D12 lack. It stays in
upstream's vocabulary, so that it can be executed, and is made for a set of features
(`features.py`): the types and ops that the target has remain, all others are expressed by them.

**Memory.** Every memref is one-dimensional without a layout, and is one of

    a parameter of the kernel       memref<?xT, #gpu.address_space<global>>
    a workgroup attribution         memref<NxT, #gpu.address_space<workgroup>>
    a private attribution, or a memref.alloca at the start of the kernel    memref<NxT, … private>
    dynamic workgroup memory        memref.view of gpu.dynamic_shared_memory, from byte 0

and is used by memref.load, memref.store, gpux.atomic_rmw and gpux.atomic_cas, and a buffer also by
vector.load and vector.store (feature `vector_access`). No memref comes out of control flow, select
or a call. `memref.dim` asks for nothing but the bytes of
`gpu.dynamic_shared_memory`, which stands at most once in a kernel, with at most one view.

**Parameters.** In the order of the 8-byte slots that a launch packs: for a buffer the memref, then
an `index` for each dynamic size, one for each dynamic stride; scalars; the extents of an `over`
kernel.

A parameter of 64 bits that is emulated is two of 32. Then the kernel's `gpux.parameter_words` says
for each parameter in which 4-byte word of the packed arguments it lies; without that attribute,
parameter i lies in word 2 * i.

**Elements.** The argument attribute `gpux.element` says what a buffer's elements are for the host,
where the kernel sees other ones: a target that passes places in elements has to convert them. If it
is a type of 8 or 16 bits and the memref is of i32, the array begins at the word in which the first
element lies, and `gpux.first_byte` is where in that word it begins (0 to 3). The last word may end
after the buffer. Whether atomics are there, the features say; each one that is left has an
instruction: integers of 32 (or 64) bits, sums of floats.

**Numbers.** Only types that the target has; bf16 is none. `index` is not stored in memory. Integers
wrap, and what is undefined upstream is as in the lowering to llvm: division by 0 gives 0, casts to
integers saturate. A `gpux.ballot` may give an i32, and a report an i64 as two words.

**Vectors** have 2 to 4 elements of a type that the target has. They are made by
vector.from_elements and dense constants, taken apart by vector.extract, changed by vector.insert
(at a known lane or another), picked from by vector.shuffle; `split-vectors` says which arithmetic
is on them.

**Subgroups.** Each subgroup op that is left has an instruction (`subgroup_basic` for ids,
`…_arithmetic`, `…_ballot`, `…_shuffle`). Where one has none, arrays of words for 1024 threads may
have been added to the kernel's; then `gpux.most_threads` says that a block has no more.

**Matrices** are of types that a word of the features has (`matrix_16x16x16_f16_f32`), loaded and
stored by gpux.matrix_load and gpux.matrix_store, in arrays of their own elements;
memref.extract_aligned_pointer_as_index tells, of a buffer, the low bits of its address.

**Remarks.** What was expressed by something dearer is listed by `gpux.remarks` of the kernel.
"""
