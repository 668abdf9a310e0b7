#version 450
// The sum of each workgroup's items by a tree in shared memory, then an atomic.
layout(local_size_x = 128) in;
layout(std430, binding = 0) readonly buffer Values { uint values[]; };
layout(std430, binding = 1) buffer Total { uint total; };
shared uint partial[128];

void main() {
    uint lane = gl_LocalInvocationIndex;
    uint i = gl_GlobalInvocationID.x;
    partial[lane] = i < uint(values.length()) ? values[i] : 0u;
    barrier();
    for (uint step = 64u; step > 0u; step >>= 1) {
        if (lane < step) partial[lane] += partial[lane + step];
        barrier();
    }
    if (lane == 0u) atomicAdd(total, partial[0]);
}
