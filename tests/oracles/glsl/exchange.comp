#version 450
// A float maximum by compare and exchange, and other atomics.
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer Values { float values[]; };
layout(std430, binding = 1) coherent buffer Result { uint greatest; int least; uint flags; uint last; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    float value = values[i];
    uint seen = greatest;
    for (;;) {
        if (uintBitsToFloat(seen) >= value) break;
        uint found = atomicCompSwap(greatest, seen, floatBitsToUint(value));
        if (found == seen) break;
        seen = found;
    }
    atomicMin(least, int(value));
    atomicOr(flags, 1u << (i & 31u));
    atomicExchange(last, i);
    memoryBarrierBuffer();
}
