#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { int at[]; };

layout(push_constant, std430) uniform Block {
    layout(offset = 0) Floats x;
    layout(offset = 8) uint x_size;
    layout(offset = 16) Floats result;
    layout(offset = 24) uint result_size;
};

shared float part[256];

void main() {
    uint t = gl_LocalInvocationID.x;
    uint step = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    float mine = 0.0;
    for (uint i = gl_GlobalInvocationID.x; i < x_size; i += step) mine += x.at[i];
    part[t] = mine;
    barrier();
    for (uint width = 128u; width > 0u; width /= 2u) {
        if (t < width) part[t] += part[t + width];
        barrier();
    }
    if (t == 0u) result.at[gl_WorkGroupID.x] = part[0];
}
