#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { int at[]; };

layout(push_constant, std430) uniform Block {
    layout(offset = 0) Floats x;
    layout(offset = 8) int rows;
    layout(offset = 16) int columns;
    layout(offset = 24) Floats result;
    layout(offset = 32) int result_rows;
    layout(offset = 40) int result_columns;
};

void main() {
    int j = int(gl_GlobalInvocationID.x), i = int(gl_GlobalInvocationID.y);
    if (i >= 1 && j >= 1 && i < rows - 1 && j < columns - 1) {
        int at = i * columns + j;
        float around = x.at[at - columns] + x.at[at + columns] + x.at[at - 1] + x.at[at + 1];
        result.at[i * result_columns + j] = 0.5 * x.at[at] + 0.125 * around;
    }
}
