#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { int at[]; };

layout(push_constant, std430) uniform Block {
    layout(offset = 0) Floats x;
    layout(offset = 8) uint rows;
    layout(offset = 16) uint columns;
    layout(offset = 24) Floats result;
    layout(offset = 32) uint result_rows;
    layout(offset = 40) uint result_columns;
};

shared float tile[16][17];

void main() {
    uvec2 t = gl_LocalInvocationID.xy;
    uint column = gl_WorkGroupID.x * 16u + t.x;
    uint row = gl_WorkGroupID.y * 16u + t.y;
    if (row < rows && column < columns) tile[t.y][t.x] = x.at[row * columns + column];
    barrier();
    column = gl_WorkGroupID.y * 16u + t.x;
    row = gl_WorkGroupID.x * 16u + t.y;
    if (row < result_rows && column < result_columns)
        result.at[row * result_columns + column] = tile[t.x][t.y];
}
