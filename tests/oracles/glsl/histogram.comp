#version 450
// Counts by atomics in shared memory, then in the buffer.
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer Words { uint words[]; };
layout(std430, binding = 1) buffer Bins { uint bins[16]; };
shared uint local_bins[16];

void main() {
    uint lane = gl_LocalInvocationIndex;
    if (lane < 16u) local_bins[lane] = 0u;
    barrier();
    uint word = words[gl_GlobalInvocationID.x];
    for (int byte = 0; byte < 4; ++byte) atomicAdd(local_bins[bitfieldExtract(word, byte * 8, 4)], 1u);
    barrier();
    if (lane < 16u && local_bins[lane] != 0u) atomicAdd(bins[lane], local_bins[lane]);
}
