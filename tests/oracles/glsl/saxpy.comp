#version 450
// One multiply-add for each item; the guard ends invocations past the end.
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) buffer Y { float y[]; };
layout(push_constant) uniform Parameters { float a; uint count; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= count) return;
    y[i] = a * x[i] + y[i];
}
