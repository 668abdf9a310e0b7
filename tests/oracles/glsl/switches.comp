#version 450
// Cases that fall through, return and break from inside a condition.
layout(local_size_x = 64) in;
layout(std430, binding = 0) buffer Data { int data[]; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    int value = data[i];
    switch (value % 5) {
    case 0: value += 1;
    case 1: value *= 2; break;
    case 2: if (value > 100) break; value = -value; break;
    case 3: return;
    default: value = ~value;
    }
    data[i] = value;
}
