#version 450
// A loop of unknown length with a break, a continue and a do-while, and a function.
layout(local_size_x = 64) in;
layout(std430, binding = 0) buffer Steps { uint steps[]; };

uint next(uint value) {
    if ((value & 1u) == 0u) return value / 2u;
    return 3u * value + 1u;
}

void main() {
    uint value = steps[gl_GlobalInvocationID.x];
    uint count = 0u;
    while (value > 1u) {
        if (count >= 1000u) break;
        count++;
        if (value == 7u) { value = 22u; continue; }
        value = next(value);
    }
    uint bits = 0u;
    do { bits++; count ^= bits; } while (bits < 3u);
    steps[gl_GlobalInvocationID.x] = count;
}
