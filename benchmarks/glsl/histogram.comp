#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { int at[]; };

layout(push_constant, std430) uniform Block {
    layout(offset = 0) Words x;
    layout(offset = 8) uint x_size;
    layout(offset = 16) Words bins;
    layout(offset = 24) uint bins_size;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < x_size) atomicAdd(bins.at[x.at[i] & 255], 1);
}
