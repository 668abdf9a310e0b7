#version 450
#extension GL_EXT_shader_explicit_arithmetic_types : require
// Numbers of 8, 16 and 64 bits.
layout(local_size_x = 32) in;
layout(std430, binding = 0) buffer Bytes { int8_t bytes[]; };
layout(std430, binding = 1) buffer Halves { float16_t halves[]; };
layout(std430, binding = 2) buffer Longs { uint64_t longs[]; };
layout(std430, binding = 3) buffer Doubles { double doubles[]; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    int8_t byte = bytes[i];
    halves[i] = halves[i] * float16_t(2.5) + float16_t(byte);
    longs[i] = longs[i] * 0x100000001B3ul ^ uint64_t(uint8_t(byte));
    doubles[i] = doubles[i] / 3.0lf + double(halves[i]);
    bytes[i] = int8_t(byte >> 1);
}
