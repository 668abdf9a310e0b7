#version 450
// A tiled product: two tiles in shared memory, a loop over tiles, a loop in them.
layout(local_size_x = 16, local_size_y = 16) in;
layout(std430, binding = 0) readonly buffer A { float a[]; };
layout(std430, binding = 1) readonly buffer B { float b[]; };
layout(std430, binding = 2) writeonly buffer C { float c[]; };
layout(push_constant) uniform Sizes { uint n; };
shared float tile_a[16][16];
shared float tile_b[16][16];

void main() {
    uint row = gl_GlobalInvocationID.y, column = gl_GlobalInvocationID.x;
    uint y = gl_LocalInvocationID.y, x = gl_LocalInvocationID.x;
    float sum = 0.0;
    for (uint tile = 0u; tile < n; tile += 16u) {
        tile_a[y][x] = a[row * n + tile + x];
        tile_b[y][x] = b[(tile + y) * n + column];
        barrier();
        for (uint k = 0u; k < 16u; k++) sum = fma(tile_a[y][k], tile_b[k][x], sum);
        barrier();
    }
    c[row * n + column] = sum;
}
