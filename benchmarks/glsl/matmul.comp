#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { int at[]; };

layout(push_constant, std430) uniform Block {
    layout(offset = 0) Floats a;
    layout(offset = 8) uint a_rows;
    layout(offset = 16) uint a_columns;
    layout(offset = 24) Floats b;
    layout(offset = 32) uint b_rows;
    layout(offset = 40) uint b_columns;
    layout(offset = 48) Floats c;
    layout(offset = 56) uint c_rows;
    layout(offset = 64) uint c_columns;
};

shared float left[16][16];
shared float right[16][16];

void main() {
    uvec2 t = gl_LocalInvocationID.xy;
    uint column = gl_GlobalInvocationID.x, row = gl_GlobalInvocationID.y;
    float total = 0.0;
    for (uint start = 0u; start < a_columns; start += 16u) {
        left[t.y][t.x] = a.at[row * a_columns + start + t.x];
        right[t.y][t.x] = b.at[(start + t.y) * b_columns + column];
        barrier();
        for (uint k = 0u; k < 16u; k++) total += left[t.y][k] * right[k][t.x];
        barrier();
    }
    c.at[row * c_columns + column] = total;
}
