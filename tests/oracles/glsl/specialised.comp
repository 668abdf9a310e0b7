#version 450
// The size of the group, of an array and a branch are set when the pipeline is made.
layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const uint LENGTH = 32;
layout(constant_id = 3) const bool REVERSED = false;
layout(constant_id = 4) const float SCALE = 1.5;
layout(std430, binding = 0) buffer Data { float data[]; };
shared float buffered[LENGTH * 2u];

void main() {
    uint i = gl_LocalInvocationIndex;
    uint last = LENGTH * 2u - 1u;
    buffered[min(i, last)] = data[i] * SCALE;
    barrier();
    data[i] = buffered[REVERSED ? last - min(i, last) : min(i, last)] + float(gl_WorkGroupSize.x);
}
